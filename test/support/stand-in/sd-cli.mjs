#!/usr/bin/env node
// The sd-cli stand-in: a program that takes sd-cli's arguments and replays what recordings of the real one show.
import { run } from './run.mjs';

process.exit(await run(process.argv.slice(2), process.env));
