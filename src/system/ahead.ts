/**
 * Reads `source` as fast as it gives, and yields what it gave as fast as that is taken. For one that can't be held back, and
 * whose items are small. Leaving the loop ends the source when it gives the next item.
 */
export async function* ahead<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
  let waiting: Item[] = [];
  let wake = (): void => {};
  const now = { reading: true, left: false };
  const reading = (async () => {
    for await (const item of source) {
      waiting.push(item);
      wake();
      if (now.left) {
        return;
      }
    }
  })().finally(() => {
    now.reading = false;
    wake();
  });
  reading.catch(() => {}); // who has left doesn't wait for it
  try {
    while (now.reading || waiting.length > 0) {
      const items = waiting;
      waiting = [];
      yield* items;
      if (now.reading && waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await reading;
  } finally {
    now.left = true;
  }
}
