import type { HelperName } from '../../config/types.ts';
import type { Plan } from '../plan.ts';
import { chain } from './expressions.ts';

/** Has conntrack follow protocols that announce further connections; nothing without `helpers`. */
export const helping = ({ helpers }: Plan, devices: string): string =>
  helpers.length === 0
    ? ''
    : helpers.flatMap((name) => HELPERS[name].protocols.map((protocol) => object(name, protocol))).join('') +
      chain('helpers', [
        // After conntrack has found or made the flow; only the first packet of one is looked at.
        'type filter hook prerouting priority mangle; policy accept;',
        ...helpers.flatMap((name) =>
          HELPERS[name].protocols.map(
            (protocol) =>
              `iifname ${devices} ct state new ${protocol} dport ${HELPERS[name].port} ct helper set "${name}_${protocol}"`,
          ),
        ),
      ]);

/** Ports as IANA assigns them. */
export const HELPERS: Readonly<
  Record<HelperName, { readonly port: number; readonly protocols: readonly ('tcp' | 'udp')[] }>
> = {
  ftp: { port: 21, protocols: ['tcp'] },
  sip: { port: 5060, protocols: ['udp', 'tcp'] },
  tftp: { port: 69, protocols: ['udp'] },
};

const object = (name: HelperName, protocol: string): string =>
  `  ct helper ${name}_${protocol} {\n    type "${name}" protocol ${protocol};\n  }\n`;
