/** Who comes first, second and so on for one group. Names every node once. */
export type Preference = readonly string[];

/**
 * The preference orders of all N*(N-1) groups: each node as home with each other as first backup. Homes in the order of
 * `names`, backups from the next name on, round.
 *
 * When one node fails, each survivor gets exactly one of its groups. So that the load stays even when more fail, the
 * further backups are dealt out one rank after the other: to a group goes whoever has been given fewest groups of those that
 * the same nodes would leave behind.
 *
 * @param names of at least two nodes
 */
export const preferencesOf = (names: readonly string[]): readonly Preference[] => {
  const orders = names.flatMap((home) => following(names, home).map((backup) => [home, backup]));
  const dealt = new Tally();
  for (let rank = 2; rank < names.length; rank++) {
    for (const order of orders) {
      const heir = heirOf(names, order, dealt);
      dealt.add(together(order, heir));
      for (const name of order) {
        dealt.add(alone(name, rank, heir));
      }
      order.push(heir);
    }
  }
  return orders;
};

/** Of those not in `order` yet, who has been given fewest; of equals the next by name after the last. */
const heirOf = (names: readonly string[], order: readonly string[], dealt: Tally): string => {
  const [first = '', ...others] = following(names, order.at(-1) ?? '').filter(
    (name) => !order.includes(name),
  );
  const singly = (heir: string): number =>
    order.reduce((sum, name) => sum + dealt.count(alone(name, order.length, heir)), 0);
  const fewer = (one: string, other: string): boolean => {
    const difference = dealt.count(together(order, one)) - dealt.count(together(order, other));
    return difference < 0 || (difference === 0 && singly(one) < singly(other));
  };
  return others.reduce((best, name) => (fewer(name, best) ? name : best), first);
};

/** What counts first: how many groups just these nodes, whatever their order, leave to one heir. */
const together = (order: readonly string[], heir: string): string => `${[...order].sort().join()} ${heir}`;

/** What counts next: how many of the groups in which a node comes earlier have the heir at that rank. */
const alone = (name: string, rank: number, heir: string): string => `${name} ${rank} ${heir}`;

/** All other names, from the one after `name` on, round. */
const following = (names: readonly string[], name: string): readonly string[] => {
  const at = names.indexOf(name);
  return [...names.slice(at + 1), ...names.slice(0, at)];
};

class Tally {
  readonly #counts = new Map<string, number>();

  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.count(key) + 1);
  }
}
