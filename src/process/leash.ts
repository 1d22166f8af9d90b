/** Kills what a supervisor leaves behind when it dies without a chance to clean up (SIGKILL, a crash). */
import { spawn } from 'node:child_process';

/** `sh` holds the read end of our pipe. The kernel closes the write end however we die, so end of file means: we are gone.
 *  It runs in its own session, where a Ctrl-C typed at the terminal does not reach it, and ignores polite signals besides:
 *  only the end of its supervisor may end it. Groups get SIGTERM first, since anvil saves its state on it. */
const watcher = `
trap '' INT TERM HUP
groups=' '
while read -r operation group; do
  case $operation in
    hold) groups="$groups$group " ;;
    free) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
[ -z "\${groups# }" ] && exit 0
for group in $groups; do kill -TERM "-$group" 2>/dev/null; done
sleep 1
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
exit 0
`;

export interface Leash {
  readonly pid: number;
  /** From now on the process group dies with us. */
  hold(groupId: number): void;
  /** The process group is gone (its id may be used again by a stranger). */
  free(groupId: number): void;
  /** Lets go: no group is killed that was freed. Twice is harmless. */
  close(): void;
}

/** Starts the watcher. It costs one `sh` (about 1 MB) and ends with this process at the latest. */
export function openLeash(): Leash {
  const child = spawn('/bin/sh', ['-c', watcher], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  // A leash that died can not be written to; the run goes on without its protection.
  child.stdin.on('error', () => {});
  (child.stdin as unknown as { unref(): void }).unref();
  return {
    pid: child.pid ?? -1,
    hold: (groupId) => void child.stdin.write(`hold ${groupId}\n`),
    free: (groupId) => void child.stdin.write(`free ${groupId}\n`),
    close: () => void child.stdin.end(),
  };
}
