import { compareContentsAsWhole } from './content-equality';

// Vitest runs this before every file of tests, also where several share a process.
compareContentsAsWhole();
