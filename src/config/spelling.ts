/** The word of `known` that `word` was probably meant to be; undefined if none is near. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const wanted = word.toLowerCase().slice(0, LONGEST);
  const limit = wanted.length < 4 ? 1 : 2;
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate.toLowerCase()) }))
    .toSorted((one, other) => one.distance - other.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.min(limit, best.candidate.length - 1)
    ? best.candidate
    : undefined;
};

/** Longer than every key by more than what counts as near; keeps the work bounded. */
const LONGEST = 40;

/** Letters to insert, delete, change, or swap with their neighbour (optimal string alignment). */
const editDistance = (from: string, to: string): number => {
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          cell(last, column) + 1,
          cell(current, column - 1) + 1,
          cell(last, column - 1) + (same ? 0 : 1),
          swapped ? cell(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = current;
  }
  return cell(last, to.length);
};

const cell = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY;
