// How the benchmarks sum up and print.

import os from 'node:os';

/**
 * The median of what each round gave: the load of a machine changes from round to round, less so within one.
 * @template T
 * @param {T[]} rounds at least one
 * @param {(round: T) => number} figure
 * @returns {number}
 */
export function medianOf(rounds, figure) {
  const sorted = rounds.map(figure).toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The value below which a share of all values lies.
 * @param {number[]} values at least one
 * @param {number} share from 0 to 1
 */
export function percentileOf(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/**
 * Prints a table with aligned columns, its head first.
 * @param {string[][]} rows
 */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])));
    console.log(cells.join('   '));
  }
}

/**
 * Prints what a benchmark does and on what.
 * @param {string} what
 */
export function printHead(what) {
  const load = os.loadavg()[0].toFixed(1);
  console.log(`${what}; Node ${process.versions.node}, ${os.availableParallelism()} CPUs, load ${load} at the start\n`);
}

/** @param {number} value */
export const seconds = (value) => `${value.toFixed(2)} s`;

/** @param {number} value ms */
export const milliseconds = (value) => `${value.toFixed(0)} ms`;

/** @param {number} value */
export const ratio = (value) => value.toFixed(2);

/** @param {number} bytes */
export const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
