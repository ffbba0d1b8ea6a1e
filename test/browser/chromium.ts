/**
 * A headless Chromium for tests, without a download: the binary comes packed in a development dependency.
 *
 * Tried in this order: the executable named by MEMSPIKE_CHROMIUM; on 64-bit Linux with glibc the packed
 * one, unpacked once into node_modules/.cache, first with the system's libraries, then with those packed
 * beside it (nss, nspr, expat); elsewhere an installed Google Chrome. When none starts, one error says why each did
 * not.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import packed from "@sparticuz/chromium";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));

/** Unpacks the binary where no other process does, then puts it in place in one step. Returns its folder. */
async function unpack(): Promise<string> {
  const manifest = join(modules, "@sparticuz/chromium/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  const folder = join(modules, ".cache", `chromium-${version}`);
  if (existsSync(join(folder, "chromium"))) return folder;
  const own = `${folder}.${process.pid}`;
  mkdirSync(own, { recursive: true });
  const before = { ...process.env };
  // the package unpacks into the folder for temporary files, its libraries only where it takes the machine for a Lambda
  Object.assign(process.env, { TMPDIR: own, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x" });
  try {
    await packed.executablePath();
  } finally {
    for (const name of ["TMPDIR", "AWS_EXECUTION_ENV"])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
  }
  try {
    renameSync(own, folder);
  } catch (error) {
    if (!existsSync(join(folder, "chromium"))) throw error;
    rmSync(own, { recursive: true, force: true }); // another process was faster
  }
  return folder;
}

/** Ways to start, each with a name. */
async function* ways(): AsyncGenerator<readonly [string, LaunchOptions]> {
  const named = process.env.MEMSPIKE_CHROMIUM;
  if (named) yield [`MEMSPIKE_CHROMIUM=${named}`, { executablePath: named }];
  if (process.platform === "linux" && process.arch === "x64") {
    const folder = await unpack();
    const executablePath = join(folder, "chromium");
    const env = { ...process.env, FONTCONFIG_PATH: process.env.FONTCONFIG_PATH ?? join(folder, "fonts") };
    yield ["packed Chromium", { executablePath, env }];
    const libraries = [join(folder, "al2023/lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
    yield [
      "packed Chromium with packed libraries",
      { executablePath, env: { ...env, LD_LIBRARY_PATH: libraries } },
    ];
  }
  yield ["installed Google Chrome", { channel: "chrome" }];
}

/** Starts Chromium. Throws with the reasons when none can be started. */
export async function startChromium(): Promise<Browser> {
  const reasons: string[] = [];
  try {
    for await (const [name, options] of ways()) {
      try {
        return await chromium.launch({ timeout: 15_000, args: ["--no-sandbox", "--no-zygote"], ...options });
      } catch (error) {
        reasons.push(`${name}: ${summary(error, options.executablePath)}`);
      }
    }
  } catch (error) {
    reasons.push(`unpacking: ${error}`);
  }
  throw new Error(
    `no Chromium starts on this machine; set MEMSPIKE_CHROMIUM to an executable.\n${reasons.map((r) => `- ${r}`).join("\n")}`,
  );
}

/** The telling lines of a failed start, and the libraries that are missing. */
function summary(error: unknown, executable: string | undefined): string {
  const lines = String(error).split("\n");
  const telling = lines.filter((line) => /error while loading|not found|cannot open|FATAL/i.test(line));
  let missing = "";
  if (executable && process.platform === "linux")
    try {
      const needed = execFileSync("ldd", [executable], { encoding: "utf8" }).split("\n");
      missing = needed
        .filter((line) => line.includes("not found"))
        .map((line) => line.trim())
        .join(", ");
    } catch {
      // no ldd: the browser's own message has to do
    }
  return [...new Set([telling[0] ?? lines[0], missing].filter(Boolean))].join("; ").slice(0, 600);
}
