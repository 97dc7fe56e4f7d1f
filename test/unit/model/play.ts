import { happen, type Story } from './event.ts';
import { FAIR } from './network.ts';
import { checkSettled, checkWell, mendAll, SETTLE_MS } from './settled.ts';
import { inVirtualTime, World, type WorldOptions } from './world.ts';

/** Plays a story from its boot to its end, and checks on the way. Rejects with a BrokenPromise. */
export const play = async (options: WorldOptions, story: Story): Promise<void> => {
  const world = new World(options);
  await inVirtualTime(world, async () => {
    for (const machine of world.machines.values()) {
      machine.boot();
    }
    await world.pass(4500);
    sayHomes(world);
    await world.pass(1000);
    for (const { after, event } of story) {
      await world.pass(after);
      happen(world, event);
    }
    // Agents are restarted by the service manager; whatever else is broken stays so.
    world.watch.note('* nothing more happens');
    world.switch.weather = FAIR;
    world.sync.weather = FAIR;
    world.watch.disturbed();
    for (const machine of world.machines.values()) {
      machine.disarm();
      machine.resumeAgent();
      if (!machine.starting) {
        machine.startAgent();
      }
    }
    await world.pass(SETTLE_MS);
    checkSettled(world);
    mendAll(world);
    await world.pass(SETTLE_MS);
    if (options.words !== 'vrrp') {
      sayHomes(world);
      await world.pass(SETTLE_MS / 2);
    }
    checkWell(world);
  });
};

/** Where nobody chooses by himself: the homes are chosen. */
const sayHomes = (world: World): void => {
  for (const { name, home } of world.groups) {
    for (const machine of world.machines.values()) {
      if (world.words === 'any') {
        machine.word(name, machine.name === home ? 'MASTER' : 'BACKUP');
      } else if (world.words === 'operator' && machine.name === home) {
        machine.order('takeover', name, false);
      }
    }
  }
};
