import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startChromium } from "./chromium.ts";
import { cubaOutcome, normadOutcome, type Outcome, stdpOutcome } from "./networks.ts";
import type { PageReport } from "./page.ts";
import { serve } from "./server.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());

/** Opens the page and waits for its report; whatever the page complains of is in the error. */
async function reportOf(options: { isolated: boolean }): Promise<PageReport> {
  const site = await serve("test/browser/page.ts", options);
  const page = await browser.newPage();
  try {
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    const failed = new Promise<never>((_, reject) => {
      page.on("pageerror", (error) => reject(new Error([error.message, ...complaints].join("\n"))));
      page.on("requestfailed", (request) => reject(new Error(`${request.url()} failed`)));
      page.on("response", (response) => {
        if (response.status() >= 400 && !response.url().endsWith("favicon.ico"))
          reject(new Error(`${response.url()}: ${response.status()}`));
      });
      page.on("crash", () => reject(new Error("the page crashed")));
      setTimeout(() => reject(new Error(["no report within 40 s", ...complaints].join("\n"))), 40_000);
    });
    failed.catch(() => {});
    await Promise.race([page.goto(site.origin), failed]);
    const report = (await Promise.race([site.result(), failed])) as PageReport;
    if (report.error) throw new Error(`in the page: ${report.error}\n${complaints.join("\n")}`);
    return report;
  } finally {
    await page.close();
    await site.close();
  }
}

describe("in a page that may run nothing but its own modules and WebAssembly", () => {
  let report: PageReport;
  beforeAll(async () => {
    report = await reportOf({ isolated: false });
  });

  test("the policy forbids eval and the page has no shared memory", () => {
    expect(report.evalIsBlocked).toBe(true);
    expect(report.isolated).toBe(false);
  });

  const outcomes: Record<string, (precision: "float64" | "float32") => Promise<Outcome>> = {
    CUBA: cubaOutcome,
    STDP: stdpOutcome,
    "NormAD on PCM": normadOutcome,
  };
  for (const [name, run] of Object.entries(outcomes))
    for (const precision of ["float64", "float32"] as const)
      test(`${name} in ${precision} leaves the bits of Node: spikes and variables`, async () => {
        const here = await run(precision);
        expect(here.spikes).toBeGreaterThan(100);
        expect(report.outcomes[`${name} ${precision}`]).toEqual(here);
      });
});

describe("in a cross-origin isolated page", () => {
  let report: PageReport;
  beforeAll(async () => {
    report = await reportOf({ isolated: true });
  });

  test("the page has shared memory", () => expect(report.isolated).toBe(true));

  for (const precision of ["float64", "float32"] as const)
    test(`two threads leave the bits of one, and of Node, in ${precision}`, async () => {
      const here = await cubaOutcome(precision);
      expect(report.outcomes[`CUBA ${precision}`]).toEqual(here);
      expect(report.outcomes[`CUBA ${precision} 2 threads`]).toEqual({ ...here, threads: 2 });
    });
});
