#!/usr/bin/env node
// The sd-server stand-in: a program that takes sd-server's arguments and answers as recordings of the real one show.
import { serve } from './server-run.mjs';

process.exit(await serve(process.argv.slice(2), process.env));
