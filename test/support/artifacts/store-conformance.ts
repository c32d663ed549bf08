import { describe } from 'vitest';
import { documentConformance } from './document-conformance';
import { objectConformance } from './object-conformance';
import { sourceConformance } from './source-conformance';
import type { StoreUnderTest } from './store-under-test';

/** The promises that every kind of store keeps. */
export function storeConformance(kind: string, make: () => Promise<StoreUnderTest>): void {
  describe(kind, () => {
    objectConformance('keeps objects:', make);
    sourceConformance('sends objects:', make);
    documentConformance('keeps documents:', make);
  });
}
