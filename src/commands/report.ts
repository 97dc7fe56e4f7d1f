import { reportText } from '../observe/report.ts';
import { configurationSection } from '../observe/report-configuration.ts';
import { figuresSection } from '../observe/report-figures.ts';
import { hardwareSection } from '../observe/report-hardware.ts';
import { rulesSection } from '../observe/report-rules.ts';
import { versionsSection } from '../observe/report-versions.ts';
import { statusText } from '../observe/status-text.ts';
import type { Context } from './context.ts';
import { readStatus } from './status.ts';

/** `report`: what others need to know of this node, in one text for a mail. What can't be read it says, with the reason. */
export const showReport = async (context: Context): Promise<void> => {
  const { config, node } = context;
  const sections = await Promise.all([
    hardwareSection(config, node),
    versionsSection(config.manager),
    configurationSection(config, node),
    figuresSection(async () => statusText(await readStatus(context))),
    rulesSection(),
  ]);
  console.log(reportText(`conntrack-ha report of ${node.name}, ${new Date().toISOString()}`, sections));
};
