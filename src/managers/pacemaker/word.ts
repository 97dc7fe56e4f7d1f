const WORDS = ['PROMOTED', 'UNPROMOTED', 'STOPPED'] as const;

/** What Pacemaker has made of a group's resource on this node, as its resource agent writes it. */
export type PacemakerWord = (typeof WORDS)[number];

/** The word that `text` is, if it is one of them. */
export const pacemakerWord = (text: string): PacemakerWord | undefined =>
  WORDS.find((candidate) => candidate === text);

/** What Pacemaker wants this node to be. A stopped resource's node still holds the states: it is a replica. */
export const roleOfWord = (word: string): 'owner' | 'replica' => (word === 'PROMOTED' ? 'owner' : 'replica');
