/**
 * One element at a time: lane 0 of the vector instructions, so that scalar and vector code agree.
 */
import { type Code, f32, f32x4, f64, f64x2, v128 } from "./assembler.ts";
import type { Precision } from "./graph.ts";

/** Loads one real into lane 0; the other lanes are zero. */
export const loadLane = (precision: Precision, address: Code, offset: number): Code =>
  precision === "float64" ? v128.load64_zero(address, offset) : v128.load32_zero(address, offset);
/** Loads one real into every lane. */
export const loadSplat = (precision: Precision, address: Code, offset: number): Code =>
  precision === "float64" ? v128.load64_splat(address, offset) : v128.load32_splat(address, offset);
/** Stores lane 0. */
export const storeLane = (precision: Precision, address: Code, offset: number, value: Code): Code =>
  precision === "float64"
    ? v128.store64_lane(address, offset, value, 0)
    : v128.store32_lane(address, offset, value, 0);

/** Lane 0 as f64. */
export const laneToF64 = (precision: Precision, value: Code): Code =>
  precision === "float64" ? f64x2.extract_lane(value, 0) : f64.promote_f32(f32x4.extract_lane(value, 0));
/** A vector with an f64 in every lane. */
export const splatF64 = (precision: Precision, value: Code): Code =>
  precision === "float64" ? f64x2.splat(value) : f32x4.splat(f32.demote_f64(value));
