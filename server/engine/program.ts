/** The programs of stable-diffusion.cpp that we start: one for each run, or one that keeps its model loaded. */
export type EngineProgram = 'sd-cli' | 'sd-server';
