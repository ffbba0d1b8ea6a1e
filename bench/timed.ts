/** Processor time of what is measured in processor time: it does not count what others do on the machine. */

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
