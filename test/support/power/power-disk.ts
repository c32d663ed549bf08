import { spawnSync } from 'node:child_process';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { memoryFolder } from '../memory-folder';

/** Pulls want a gibibyte to spare; what is not used takes no room. */
const BYTES = 2 * 1024 ** 3;

/**
 * Nothing reaches the disk but what a program asks for: the journal is not written every five seconds, and a file that
 * is renamed over another is not written out first, as it would be by default.
 */
const STRICT = 'loop,commit=600,noauto_da_alloc';

/**
 * Has a file system drop everything that did not reach its disk, and take no more: EXT4_IOC_SHUTDOWN with
 * EXT4_GOING_FLAGS_NOLOGFLUSH, which the kernel has for this purpose. Node has no ioctl.
 */
const SHUTDOWN = `
  sysopen(my $folder, $ARGV[0], 0) or die $!;
  my $flags = pack("L", 2);
  ioctl($folder, 0x8004587d, $flags) or die $!;
`;

/** What tells one boot from another. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** What is written without being asked for, before the names that lead to it or whenever it suits. */
export const JOURNAL_MODES = ['data=ordered', 'data=writeback'] as const;

/** An ext4 file system of its own whose power can be cut. To be used within a mount namespace of the test's own. */
export class PowerDisk {
  private boots = 0;

  private constructor(
    /** Where it is mounted. */
    readonly folder: string,
    private readonly image: string
  ) {}

  static async create(): Promise<PowerDisk> {
    const parent = await memoryFolder();
    const disk = new PowerDisk(join(parent, 'disk'), join(parent, 'image'));
    await mkdir(disk.folder);
    await writeFile(disk.image, '');
    await truncate(disk.image, BYTES);
    run('mkfs.ext4', '-q', '-F', disk.image);
    await disk.turnOn('data=ordered');
    onTestFinished(() => disk.giveUp());
    return disk;
  }

  /** Has everything reach the disk. */
  settle(): void {
    run('sync', '-f', this.folder);
  }

  /** What did not reach the disk is lost, and nothing reaches it any more. */
  cutPower(): void {
    run('perl', '-e', SHUTDOWN, this.folder);
  }

  turnOff(): void {
    run('umount', this.folder);
    run('umount', BOOT_ID);
  }

  /** Whatever is still at work on it. */
  private giveUp(): void {
    for (const mounted of [this.folder, BOOT_ID]) run('umount', '--lazy', mounted);
  }

  /** Mounts it, in another boot of the machine: it has another id from now on. */
  async turnOn(mode: (typeof JOURNAL_MODES)[number]): Promise<void> {
    this.boots += 1;
    const boot = `${this.image}.boot-${this.boots}`;
    await writeFile(boot, `power-cut-${this.boots}\n`);
    run('mount', '--bind', boot, BOOT_ID);
    run('mount', '-t', 'ext4', '-o', `${STRICT},${mode}`, this.image, this.folder);
  }
}

function run(...[program, ...args]: [string, ...string[]]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
