/**
 * Voltage lost along the wire of a column, exactly: Kirchhoff's law for a ladder of resistors.
 *
 * Input j puts x_j on device G+ and -x_j on G-, in units of the read voltage; the wire joins neighbours by the conductance
 * `wire`, and input 0 to the readout, which is held at 0. Node voltages u follow from a tridiagonal system,
 *
 *     wire (u_(j+1) - u_j) + wire (u_(j-1) - u_j) + G+ (x_j - u_j) + G- (-x_j - u_j) = 0,   u_(-1) = 0,
 *
 * and the current wire u_0 is linear in x: a column acts as one with ideal wires whose weights are smaller. Elimination from the
 * far end (Thomas) replaces what lies beyond a node by a source with conductance C, which the next piece of wire divides by
 * 1 + C / wire; so the weight of input j counts by the product of 1 / (1 + C_k / wire), k = 0 … j. Nothing cancels.
 * System: Rasch et al. 2023, Nat. Commun. 14:5282.
 */

/**
 * Parts of weights that reach the readout, [output][input], 0 to 1. `conductances`: G+ + G- of each weight; `wire` in the
 * same unit. Cost: one division a weight.
 */
export function wireLosses(
  conductances: ArrayLike<number>,
  o: { readonly outputs: number; readonly inputs: number; readonly wire: number },
): Float64Array {
  const { outputs, inputs, wire } = o;
  const left = new Float64Array(outputs * inputs);
  for (let start = 0; start < left.length; start += inputs) {
    let beyond = 0; // conductance of what lies from here on
    for (let at = start + inputs - 1; at >= start; at--) {
      const all = beyond + conductances[at];
      left[at] = 1 / (1 + all / wire);
      beyond = all * left[at];
    }
    for (let at = start + 1; at < start + inputs; at++) left[at] *= left[at - 1];
  }
  return left;
}
