#!/usr/bin/env node
/** The command line: names of commands and options; the work is done by the file of each command. */

import * as module from "node:module";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { CostFlags } from "./cost.ts";
import { exitCodeOf, exitCodes, faultOf, faultText, UsageError } from "./exit.ts";
import type { FitFlags } from "./fit.ts";
import type { ProgressMode } from "./progress.ts";

interface RunFlags {
  quick?: boolean;
  seed?: string;
  set: string[];
  out?: string;
  force?: boolean;
  threads?: number;
  json?: boolean;
  progress: ProgressMode;
}

interface FitWords extends Omit<FitFlags, "metadata" | "posterior" | "seed" | "force" | "json"> {
  set: string[];
  seed: string;
  posterior?: number | true;
  force?: boolean;
  json?: boolean;
}

interface PaperFlags {
  full?: boolean;
  seed: string;
  only: string[];
  from?: string[];
  out?: string;
  force?: boolean;
  json?: boolean;
  progress: ProgressMode;
}

interface DeviceShowFlags {
  set: string[];
  seed: string;
  devices?: number;
  quick?: boolean;
  out?: string;
  force?: boolean;
  json?: boolean;
}

interface MapFlags {
  tile: string;
  length?: number;
  digital?: string;
  layers?: boolean;
  figure?: string;
  pack?: boolean;
  json?: boolean;
}

interface CostWords extends Omit<CostFlags, "json" | "layers"> {
  layers?: boolean;
  json?: boolean;
}

function program(): Command {
  const memspike = new Command("memspike")
    .description("Spiking neural networks whose synapses are memory devices.")
    .helpCommand(false)
    .option("-V, --version", "print the version")
    .showHelpAfterError("(memspike --help tells the commands)")
    .exitOverride()
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 usage, 3 invalid config or data, 4 numeric failure, 130 interrupted.",
    );
  runFlags(
    memspike
      .command("run")
      .description("run an experiment, by name or by file, into a run folder with a report")
      .argument("<experiment>", "a name from `memspike list`, or a file such as ./mine.ts"),
  )
    .addHelpText("after", runHelp)
    .action(async (target: string, flags: RunFlags) => {
      const { run } = await import("./run.ts");
      process.exitCode = await run(target, runOptions(flags));
    });
  runFlags(
    memspike
      .command("sensitivity")
      .description("make each imperfection of a chip worse by itself until a network loses accuracy")
      .argument(
        "<network>",
        "analognet-kws, whose weights ship; or with weights of a run hwa-resnet32, hwa-lstm",
      )
      .option("--weights <file>", "a .safetensors file that a run of the network left"),
  ).action(async (network: string, { weights, ...flags }: RunFlags & { weights?: string }) => {
    const { run } = await import("./run.ts");
    const set = [`network=${network}`, ...(weights ? [`weights=${weights}`] : []), ...flags.set];
    process.exitCode = await run("hwa-sensitivity", runOptions({ ...flags, set }));
  });

  memspike
    .command("list")
    .description("list the experiments and models")
    .option("--json", "as JSON")
    .action(async (flags: { json?: boolean }) => {
      const { list } = await import("./list.ts");
      process.exitCode = await list({ json: flags.json ?? false });
    });

  memspike
    .command("show")
    .description("show an experiment's or a model's parameters, units, source and equations")
    .argument("<name>", "an experiment, a model file, or a model in it, e.g. cuba.excitatory")
    .option("--json", "as JSON")
    .action(async (name: string, flags: { json?: boolean }) => {
      const { show } = await import("./show.ts");
      process.exitCode = await show(name, { json: flags.json ?? false });
    });

  memspike
    .command("paper")
    .description("a paper's figures beside ours, on one page; alone, tell which papers there are")
    .argument("[name]", "a paper such as pcm-snn")
    .option("--full", "the sizes that the criteria are made for, not those of a quick run")
    .option("--seed <seed>", "a number or a word; the same seed gives the same results", "1")
    .option("--only <run>", "one of the paper's runs; again for more", collect, [])
    .option("--from <folders...>", "make the page of runs that are there, and run nothing")
    .option("--out <folder>", "the folder of page and runs; default runs/paper-<name>-<quick or full>-<seed>")
    .option("--force", "run again what --out holds already")
    .option("--json", "print one JSON object")
    .addOption(
      new Option("--progress <mode>", "how progress is shown on stderr")
        .choices(["auto", "plain", "json", "none"])
        .default("auto"),
    )
    .addHelpText("after", paperHelp)
    .action(async (name: string | undefined, flags: PaperFlags) => {
      const { paper, paperList } = await import("./paper.ts");
      const { full = false, force = false, json = false, seed, ...rest } = flags;
      if (name !== undefined)
        process.exitCode = await paper(name, { ...rest, full, force, json, seed: seedFrom(seed) });
      else if (full || force || rest.from || rest.out || rest.only.length > 0)
        throw new UsageError("which paper? memspike paper tells which there are");
      else process.exitCode = await paperList({ json });
    });

  const data = memspike.command("data").description("list, fetch and verify data sets");
  data
    .command("list")
    .description("list the data sets, where they come from and whether they are here")
    .option("--json", "as JSON")
    .action(async (flags: { json?: boolean }) => {
      const { dataList } = await import("./data.ts");
      process.exitCode = await dataList({ json: flags.json ?? false });
    });
  data
    .command("get")
    .description("fetch a data set from its canonical address")
    .argument("<name>")
    .action(async (name: string) => {
      const { dataGet } = await import("./data.ts");
      process.exitCode = await dataGet(name);
    });
  data
    .command("verify")
    .description("compare a data set with its checksums")
    .argument("[name]", "default: every data set that is here")
    .action(async (name: string | undefined) => {
      const { dataVerify } = await import("./data.ts");
      process.exitCode = await dataVerify(name);
    });
  memspike
    .command("fit")
    .description("fit a device model to measurements, into a folder with a device file and a report")
    .argument(
      "<data>",
      "a file in the format of docs/device-data.md, or the name of data that ship with the program",
    )
    .requiredOption(
      "--model <names>",
      "devices of `memspike device list`, or device files; several are compared",
    )
    .option("--free <names>", "the parameters to fit; default: all that the data tell", collect, [])
    .option(
      "--fix <name=value>",
      "hold parameters, e.g. --fix 'c=0.1,Gref=10 uS'; again for more",
      collect,
      [],
    )
    .option(
      "--bounds <name=low:high>",
      "bounds of a parameter, a side may be empty; again for more",
      collect,
      [],
    )
    .addOption(
      new Option(
        "--start <state>",
        "sequences begin with their first read, or as the model is fabricated",
      ).choices(["read", "fabricated"]),
    )
    .addOption(
      new Option("--intervals <method>", "of parameters; default curvature").choices([
        "curvature",
        "profile",
        "bootstrap",
      ]),
    )
    .option("--replicates <n>", "of the bootstrap; default 200", wholeNumber)
    .addOption(
      new Option(
        "--loss <kind>",
        "errors of reads: normal (default), or Student's t, which forgives outliers",
      ).choices(["normal", "student"]),
    )
    .option("--residual", "fit a noise of reads that the model does not know")
    .option("--starts <n>", "points tried for a beginning; default 64", wholeNumber)
    .option("--posterior [draws]", "sample the posterior; default 10000 draws", drawCount)
    .option("--set <key=value>", "what the table does not say, e.g. --set read_voltage='0.1 V'", collect, [])
    .option("--seed <seed>", "a number or a word; the same seed gives the same results", "1")
    .option("--out <folder>", "the folder of the results; default runs/fit-<data>-<model>-<seed>-<time>")
    .option("--force", "overwrite a run in --out")
    .option("--json", "print one JSON object")
    .addOption(
      new Option("--progress <mode>", "how progress is shown on stderr")
        .choices(["auto", "plain", "json", "none"])
        .default("auto"),
    )
    .action(async (data: string, flags: FitWords) => {
      const { fitData } = await import("./fit.ts");
      const { set, posterior, seed, ...rest } = flags;
      process.exitCode = await fitData(data, {
        ...rest,
        metadata: pairsOf(set),
        seed: seedFrom(seed),
        force: flags.force ?? false,
        json: flags.json ?? false,
        ...(posterior === undefined ? {} : { posterior: posterior === true ? 10_000 : posterior }),
      });
    });

  const device = memspike.command("device").description("measurements of memory devices, and models of them");
  device
    .command("check")
    .description("tell what is in a table of measurements, or what is wrong with it")
    .argument(
      "<data>",
      "a file in the format of docs/device-data.md, or the name of data that ship with the program",
    )
    .option("--set <key=value>", "what the table does not say, e.g. --set read_voltage='0.1 V'", collect, [])
    .option("--json", "as JSON")
    .action(async (target: string, flags: { set: string[]; json?: boolean }) => {
      const { deviceCheck } = await import("./device.ts");
      process.exitCode = await deviceCheck(target, {
        json: flags.json ?? false,
        metadata: pairsOf(flags.set),
      });
    });
  device
    .command("import")
    .description("turn raw files of published measurements into that format; alone, tell which there are")
    .argument("[format]", "a name such as crosssim-ramps")
    .argument("[files...]", "raw files, also .gz")
    .option("--out <file>", "where the table goes; default stdout")
    .option("--set <key=value>", "an option of the format; again for more", collect, [])
    .action(async (format: string | undefined, files: string[], flags: { out?: string; set: string[] }) => {
      const { deviceImport } = await import("./device.ts");
      const out = flags.out === undefined ? {} : { out: flags.out };
      process.exitCode = await deviceImport(format, files, { ...out, set: pairsOf(flags.set) });
    });
  device
    .command("list")
    .description("list the device models, their pulses and where they come from")
    .option("--json", "as JSON")
    .action(async (flags: { json?: boolean }) => {
      const { deviceList } = await import("./characterise.ts");
      process.exitCode = await deviceList({ json: flags.json ?? false });
    });
  device
    .command("show")
    .description(
      "show what a device is, and what it does: pulses, steps, levels, drift, reads, with a report",
    )
    .argument("<device>", "a name from `memspike device list`, or a device file such as ./mine.json")
    .option("--set <parameter=value>", "a parameter, e.g. --set Gmax='12 uS'; again for more", collect, [])
    .option("--seed <seed>", "a number or a word; the same seed gives the same results", "1")
    .option("--devices <n>", "how many devices are measured; default 1000", wholeNumber)
    .option("--quick", "fewer pulses and reads")
    .option("--out <folder>", "the folder of the report; default runs/device-<name>-<seed>-<time>")
    .option("--force", "overwrite a report in --out")
    .option("--json", "print one JSON object")
    .action(async (target: string, flags: DeviceShowFlags) => {
      const { deviceShow } = await import("./characterise.ts");
      process.exitCode = await deviceShow(target, {
        set: flags.set,
        seed: seedFrom(flags.seed),
        quick: flags.quick ?? false,
        force: flags.force ?? false,
        json: flags.json ?? false,
        ...(flags.devices === undefined ? {} : { devices: flags.devices }),
        ...(flags.out === undefined ? {} : { out: flags.out }),
      });
    });
  memspike
    .command("map")
    .description(
      "map a network on crossbar tiles: how many, how full, how often used; alone, all that come along",
    )
    .argument("[network]", "a name such as resnet32, or a file of ONNX")
    .option("--tile <rows x columns>", "size of a tile", "512x512")
    .option("--length <n>", "steps of a sample, of a network of sequences", wholeNumber)
    .option("--digital <names>", "matrices that are not on crossbars, e.g. --digital stem,classes")
    .option("--layers", "tell each matrix")
    .option("--figure <file>", "draw where matrices lie, as SVG")
    .option("--pack", "draw them with as many on a tile as fit")
    .option("--json", "print one JSON object: weights, tiles, use, mvms, reuse")
    .action(async (network: string | undefined, flags: MapFlags) => {
      const { map } = await import("./map.ts");
      const { layers = false, json = false, pack = false, ...rest } = flags;
      process.exitCode = await map(network, { ...rest, layers, json, pack });
    });
  memspike
    .command("cost")
    .description("time and energy of a network on AON-CiM, an array that computes its layers in turn")
    .argument("<network>", "a name of `memspike map`, or a file of ONNX")
    .option("--bits <n>", "of inputs and outputs, 4 to 8; default 8, 6 and 4", wholeNumber)
    .addOption(
      new Option("--energies <version>", "of the paper whose efficiencies are fitted")
        .choices(["preprint", "journal"])
        .default("preprint"),
    )
    .option("--length <n>", "steps of a sample, of a network of sequences", wholeNumber)
    .option("--digital <names>", "matrices that are not on crossbars, e.g. --digital stem,classes")
    .option("--layers", "tell each matrix")
    .option("--figure <file>", "draw where matrices lie, as SVG")
    .option("--json", "print one JSON object: topsPerWatt, tops, latency, energy, inferencesPerSecond")
    .action(async (network: string, flags: CostWords) => {
      const { cost } = await import("./cost.ts");
      const { layers = false, json = false, ...rest } = flags;
      process.exitCode = await cost(network, { ...rest, layers, json });
    });
  return memspike;
}

/** The flags of a command that runs an experiment. */
function runFlags(command: Command): Command {
  return command
    .option("--quick", "the experiment's parameters for a run of a few seconds")
    .option("--seed <seed>", "a number or a word; the same seed gives the same results")
    .option("--set <key=value>", "a parameter, e.g. --set duration='2 s'; again for more", collect, [])
    .option("--out <folder>", "the run folder; default runs/<experiment>-<seed>-<time>")
    .option("--force", "overwrite a run in --out")
    .option("--threads <n>", "threads to use; default: one for a small network, else all cores", wholeNumber)
    .option("--json", "print one JSON object: experiment, seed, metrics, runFolder, seconds")
    .addOption(
      new Option("--progress <mode>", "how progress is shown on stderr")
        .choices(["auto", "plain", "json", "none"])
        .default("auto"),
    );
}

const runOptions = ({ quick = false, force = false, json = false, seed, ...flags }: RunFlags) => ({
  ...flags,
  quick,
  force,
  json,
  ...(seed === undefined ? {} : { seed: seedFrom(seed) }),
});

const runHelp = `
A file exports an experiment by default, and imports this program by its name wherever it lies:

  import { experiment, neurons, simulate } from "memspike";
  import { cuba } from "memspike/models/cuba";
  export default experiment({ name: "mine", … });

Ctrl-C once ends the run with the results so far, twice at once.`;

const paperHelp = `
Runs that --out holds from the same program, parameters and seed are taken over: Ctrl-C ends a command with what is
complete, and the same command goes on from there.`;

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

/** `key=value` words as a record. */
function pairsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const cut = word.indexOf("=");
      if (cut < 1) throw new UsageError(`--set ${word}: key=value is expected`);
      return [word.slice(0, cut), word.slice(cut + 1)];
    }),
  );
}

function drawCount(text: string): number {
  const count = wholeNumber(text);
  if (count < 100) throw new InvalidArgumentError("It is a whole number from 100 on.");
  return count;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It is a whole number from 1 on.");
  return value;
}

/** A seed as a number where it is one, so that 7 means the same here and in a program. */
function seedFrom(text: string): string | number {
  const value = Number(text);
  return /^-?\d+$/.test(text) && Number.isSafeInteger(value) ? value : text;
}

/** Whether this Node has what is needed: type stripping and module hooks, both from 22.18 on. */
function nodeSuits(): boolean {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** What is imported, here and in threads, is compiled once for all starts: that takes 0.4 s of each. */
function keepCompiled(): void {
  const { directory } = module.enableCompileCache();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory; // threads look there
}

async function main(): Promise<void> {
  if (!nodeSuits()) {
    process.stderr.write(`memspike needs Node 22.18 or newer; this is ${process.version}\n`);
    process.exitCode = exitCodes.failed;
    return;
  }
  keepCompiled();
  if (["-V", "--version"].includes(process.argv[2])) {
    const { provenance } = await import("../report/results.ts");
    process.stdout.write(`${provenance([]).memspike}\n`);
    return;
  }
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
      return;
    }
    const told = error as { fault?: Parameters<typeof exitCodeOf>[0]; message?: string };
    const fault = told.fault ?? faultOf(error);
    process.stderr.write(`${told.fault ? told.message : faultText(fault)}\n`);
    process.exitCode = exitCodeOf(fault);
  }
}

await main();
