/** The rules of who may import what, and how files are named and sized. Every message says file, line and rule. */

import * as fs from "node:fs";
import * as path from "node:path";
import { expect, test } from "vitest";

/** Folders of src in the order of dependency: a file imports from its own and from earlier ones. */
const order = [
  "math",
  "language",
  "wasm",
  "device",
  "engine",
  "encode",
  "tensor",
  "deep",
  "analog",
  "exchange",
  "measured",
  "fit",
  "report",
  "cli",
  "lab",
];

/** Packages that only these files may import. */
const confined: Record<string, readonly string[]> = {
  mathjs: ["src/language/parse.ts", "src/math/units.ts"],
  seedrandom: ["src/math/random.ts"],
};

interface Source {
  readonly file: string; // from the root, with "/"
  readonly text: string;
  readonly imports: readonly Import[];
}

interface Import {
  readonly name: string; // as written
  readonly line: number;
  readonly target: string | undefined; // the file in this project, from the root
  readonly typesOnly: boolean;
}

function sourcesIn(folder: string): Source[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => path.posix.join(folder, file.split(path.sep).join("/")))
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => {
      const text = fs.readFileSync(file, "utf8");
      return { file, text, imports: importsOf(file, text) };
    });
}

/** Imports and re-exports stand at the start of a line; dynamic ones anywhere. */
function importsOf(file: string, text: string): Import[] {
  const pattern =
    /^(?:import|export)\s[^"';]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3];
    const line = text.slice(0, match.index + match[0].indexOf(name)).split("\n").length;
    const target = name.startsWith(".") ? path.posix.join(path.posix.dirname(file), name) : undefined;
    return { name, line, target, typesOnly: /^(?:import|export) type\s/.test(match[0]) };
  });
}

const src = sourcesIn("src");
const models = sourcesIn("models");
const datasets = sourcesIn("datasets");
const experiments = sourcesIn("experiments");
const all = [...src, ...models, ...datasets, ...experiments];

/** "file:line imports X: rule" for every import that a rule refuses. */
function offences(
  sources: readonly Source[],
  rule: (source: Source, imported: Import) => string | undefined,
): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((imported) => {
      const reason = rule(source, imported);
      return reason === undefined
        ? []
        : [`${source.file}:${imported.line} imports ${imported.name}: ${reason}`];
    }),
  );
}

function folderOf(file: string): string {
  return file.split("/")[1];
}

test("the parser of these rules sees static, bare, re-exported and dynamic imports, with their lines", () => {
  const text = [
    '/** import a from "./comment.ts" */',
    'import "./bare.ts";',
    "import {",
    "  type A,",
    '} from "node:fs";',
    'export * from "../b.ts";',
    'const c = await import("./c.ts");',
    'const d = "import x from ./text.ts";',
  ].join("\n");
  expect(importsOf("src/x/y.ts", text).map(({ name, line, target }) => [name, line, target])).toEqual([
    ["./bare.ts", 2, "src/x/bare.ts"],
    ["node:fs", 5, undefined],
    ["../b.ts", 6, "src/b.ts"],
    ["./c.ts", 7, "src/x/c.ts"],
  ]);
});

test("src is two levels deep, in known folders", () => {
  const odd = src
    .filter(({ file }) => file !== "src/index.ts")
    .filter(({ file }) => file.split("/").length !== 3 || !order.includes(folderOf(file)))
    .map(({ file }) => `${file} is not src/<${order.join("|")}>/<file>.ts`);
  expect(odd).toEqual([]);
});

test("a file of src imports from its own folder and from folders before it", () => {
  const wrong = offences(src, ({ file }, { target }) => {
    if (target === undefined || file === "src/index.ts") return undefined;
    if (!target.startsWith("src/")) return "src sees no models, datasets, experiments or tests";
    if (target === "src/index.ts") return "src/index.ts is for the outside; import the file itself";
    const [own, other] = [order.indexOf(folderOf(file)), order.indexOf(folderOf(target))];
    return other <= own ? undefined : `${folderOf(file)} comes before ${folderOf(target)}`;
  });
  expect(wrong).toEqual([]);
});

test("there are no rings of imports", () => {
  const byFile = new Map(all.map((source) => [source.file, source]));
  const done = new Set<string>();
  const rings: string[] = [];
  const visit = (file: string, trail: readonly string[], steps: readonly string[]) => {
    const start = trail.indexOf(file);
    if (start >= 0) rings.push([trail[start], ...steps.slice(start)].join(" -> "));
    if (done.has(file) || start >= 0) return;
    for (const { target, typesOnly, line } of byFile.get(file)?.imports ?? [])
      if (target)
        visit(target, [...trail, file], [...steps, `${target} (line ${line}${typesOnly ? ", types" : ""})`]);
    done.add(file);
  };
  for (const { file } of all) visit(file, [], []);
  expect(rings).toEqual([]);
});

test("every imported file is there, named with its .ts", () => {
  const missing = offences(all, (_, { target }) => {
    if (target === undefined) return undefined;
    if (!/\.(ts|json)$/.test(target)) return "the name needs its extension .ts";
    return fs.existsSync(target) ? undefined : "there is no such file";
  });
  expect(missing).toEqual([]);
});

test("models see only src/index.ts and each other", () => {
  const wrong = offences(models, (_, { target, name }) =>
    target === "src/index.ts" || target?.startsWith("models/")
      ? undefined
      : `models see src/index.ts, not ${name}`,
  );
  expect(wrong).toEqual([]);
});

test("experiments see src/index.ts, models and datasets", () => {
  const wrong = offences(experiments, (_, { target }) => {
    const seen = target === "src/index.ts" || /^(models|datasets|experiments)\//.test(target ?? "");
    return seen ? undefined : "experiments see src/index.ts, models and datasets";
  });
  expect(wrong).toEqual([]);
});

test("datasets see src, and no models or experiments", () => {
  const wrong = offences(datasets, (_, { target }) =>
    target !== undefined && !/^(src|datasets)\//.test(target) ? "datasets see src only" : undefined,
  );
  expect(wrong).toEqual([]);
});

test("mathjs and seedrandom stay where they are confined, and every package is a dependency", () => {
  const { dependencies } = JSON.parse(fs.readFileSync("package.json", "utf8"));
  const wrong = offences(all, ({ file }, { name, target }) => {
    if (target !== undefined || name.startsWith("node:")) return undefined;
    const packageName = name
      .split("/")
      .slice(0, name.startsWith("@") ? 2 : 1)
      .join("/");
    const allowed = confined[packageName];
    if (allowed && !allowed.includes(file)) return `${packageName} is for ${allowed.join(" and ")} only`;
    return packageName in dependencies
      ? undefined
      : `${packageName} is not in the dependencies of package.json`;
  });
  expect(wrong).toEqual([]);
});

test("node: modules are for cli, datasets and report/results.ts; the rest runs in a browser", () => {
  const wrong = offences(all, ({ file }, { name }) => {
    const allowed =
      file.startsWith("src/cli/") || file.startsWith("datasets/") || file === "src/report/results.ts";
    return name.startsWith("node:") && !allowed ? "this file runs in a browser too" : undefined;
  });
  expect(wrong).toEqual([]);
});

test("what src/index.ts reaches is free of node:, and only cli uses report/results.ts", () => {
  const byFile = new Map(src.map((source) => [source.file, source]));
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { target } of byFile.get(file)?.imports ?? []) if (target) visit(target);
  };
  visit("src/index.ts");
  expect(
    [...reached].filter((file) => file.startsWith("src/cli/") || file === "src/report/results.ts"),
  ).toEqual([]);
  const wrong = offences(src, ({ file }, { target }) =>
    target === "src/report/results.ts" && !file.startsWith("src/cli/") ? "results.ts is for cli" : undefined,
  );
  expect(wrong).toEqual([]);
});

test("a file of src has at most 500 lines", () => {
  const long = src
    .map(({ file, text }) => ({ file, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > 500)
    .map(({ file, lines }) => `${file} has ${lines} lines; past 500 it is two nouns`);
  expect(long).toEqual([]);
});

test("files are nouns: one lower-case word in src, kebab-case beside it, none a drawer", () => {
  const drawers = [
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "types",
    "constants",
    "misc",
    "manager",
    "handler",
  ];
  const wrong = all.flatMap(({ file }) => {
    const name = path.posix.basename(file, ".ts");
    const shape = file.startsWith("src/") ? /^[a-z0-9]+$/ : /^[a-z0-9]+(-[a-z0-9]+)*$/;
    if (drawers.includes(name))
      return [`${file} is named for a drawer; a function lives beside the noun it serves`];
    return shape.test(name)
      ? []
      : [`${file} is not named in ${file.startsWith("src/") ? "one lower-case word" : "kebab-case"}`];
  });
  expect(wrong).toEqual([]);
});

test("default exports are experiments; classes extend nothing but Error; nothing is evaluated or warned", () => {
  const rules: [RegExp, (file: string) => boolean, string][] = [
    [/^export default /m, (file) => file.startsWith("experiments/"), "a default export is an experiment"],
    [/^(?:export )?class \w+ extends (?!Error\b)/m, () => false, "a class extends only Error"],
    [/\bnew Function\(|(?<![\w.])eval\(/, () => false, "text is never run"],
    [/\bconsole\.(warn|log|error)\(/, () => false, "there are no warnings: an error, or the manifest"],
  ];
  const wrong = all.flatMap(({ file, text }) =>
    rules.flatMap(([pattern, allowed, reason]) => {
      const match = pattern.exec(text);
      if (match === null || allowed(file)) return [];
      return [`${file}:${text.slice(0, match.index).split("\n").length} ${match[0].trim()}: ${reason}`];
    }),
  );
  expect(wrong).toEqual([]);
});
