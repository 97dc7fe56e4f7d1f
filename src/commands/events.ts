import { EventsFile } from '../agent/events-file.ts';
import { eventsText, readEvents } from '../observe/events.ts';
import { type Context, requireRoot } from './context.ts';

/** `events`: the last transitions of this node. Reads what the agent has kept, so none need run. */
export const showEvents = (
  context: Context,
  options: { readonly json: boolean; readonly number: number },
): void => {
  requireRoot('events');
  const events = readEvents(new EventsFile(context.config.paths.run).read()).slice(-options.number);
  if (options.json) {
    console.log(JSON.stringify({ node: context.node.name, events }));
  } else if (events.length > 0) {
    console.log(eventsText(events));
  }
};
