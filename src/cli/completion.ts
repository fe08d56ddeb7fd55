import { NETWORKS } from '../domain/network.js';
import { BATCH_STATES } from '../journal/transitions.js';
import type { CommandSpec, OptionSpec } from './command.js';
import { COMMON_OPTIONS } from './tree/options.js';

/** The words after an option that has few of them. */
const VALUES: Readonly<Record<string, readonly string[]>> = { '--network': NETWORKS, '--state': BATCH_STATES };

/** The shells that there is a script for. */
export const SHELLS = ['bash'] as const;

/**
 * What bash completes of these verbs, as a script for `source`: groups, verbs, options, the words of options that have few, and
 * else the names of files, which bash itself offers and quotes, so that a name with a blank stays one word. It is made from the tree and asks nothing of countersign while somebody types, so that a journal on
 * the other side of the world is not opened by a tab.
 */
export function bashCompletion(specs: readonly CommandSpec[]): string {
  const first = [...new Set(specs.map(({ path: [word = ''] }) => word))];
  const groups = first.filter((word) => specs.some(({ path }) => path.length > 1 && path[0] === word));
  const lone = specs.filter(({ path }) => path.length === 1);
  return `# bash completion of countersign: source <(countersign completion bash)
_countersign() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} group= verb= options= skip= word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=
    elif [[ $word == -w || $word == --workspace ]]; then skip=1
    elif [[ $word == -* ]]; then :
    elif [[ -z $group ]]; then group=$word
    elif [[ -z $verb ]]; then verb=$word
    fi
  done
  case $prev in
${Object.entries(VALUES)
  .map(([option, words]) => `    ${option}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")); return ;;`)
  .join('\n')}
    -w | --workspace) return ;;
  esac
  case "$group $verb" in
    ' ') options='${[...first, ...namesOf(COMMON_OPTIONS)].join(' ')}' ;;
${groups.map((group) => `    '${group} ') options='${verbsOf(specs, group).join(' ')}' ;;`).join('\n')}
${specs
  .filter(({ path }) => path.length > 1)
  .map(({ path, options }) => `    '${path.join(' ')}') ${ifDash(options)} ;;`)
  .join('\n')}
${lone.map(({ path: [word], options }) => `    '${word} '*) ${ifDash(options)} ;;`).join('\n')}
  esac
  [[ -z $options ]] || COMPREPLY=($(compgen -W "$options" -- "$cur"))
}
complete -o default -F _countersign countersign
`;
}

const verbsOf = (specs: readonly CommandSpec[], group: string): string[] =>
  specs.flatMap(({ path: [word, verb] }) => (word === group && verb !== undefined ? [verb] : []));

/** Options are offered once a dash is typed; before that, files are. */
const ifDash = (options: readonly OptionSpec[]): string =>
  `[[ $cur != -* ]] || options='${namesOf([...options, ...COMMON_OPTIONS]).join(' ')}'`;

/** ["-w", "--workspace"] of "-w, --workspace <folder>". */
const namesOf = (options: readonly OptionSpec[]): string[] =>
  options.flatMap(({ flags }) => flags.split(/[ ,]+/).filter((word) => word.startsWith('-')));
