/** Processor time of what is measured in processor time: it does not count what others do on the machine. And wall time, of threads. */

/** CPU seconds of one call, after three to warm up: the mean of as many as take `least` seconds. */
export function timed(run: () => void, least = 1): number {
  for (let k = 0; k < 3; k++) run();
  const start = process.cpuUsage();
  let count = 0;
  const used = () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
  while (used() < least) {
    run();
    count++;
  }
  return used() / count;
}

/** Wall seconds of the fastest call, after three to warm up, of as many as take `least` seconds: of threads that may be kept waiting. */
export function fastest(run: () => void, least = 2): number {
  for (let k = 0; k < 3; k++) run();
  let [all, best] = [0, Number.POSITIVE_INFINITY];
  while (all < least) {
    const start = performance.now();
    run();
    const seconds = (performance.now() - start) / 1e3;
    all += seconds;
    best = Math.min(best, seconds);
  }
  return best;
}
