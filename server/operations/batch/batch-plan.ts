import * as z from 'zod';
import { isDigest } from '../../../shared/digest';
import { registeredManifest } from '../../../shared/manifest/registered-manifest';
import { publicationOrigin } from '../../registry/registry-state';
import { requireNoSecret } from '../no-secret';
import { batchDefinition } from './definition';
import { fixedSeeds } from './expand';

const digest = z.string().refine(isDigest, 'not a SHA-256 in lower case');

const plannedModel = z.object({
  /** As the registry had it, so that another machine can pull the model. */
  manifest: registeredManifest,
  /** Where it was fetched from, for a model of a team store. */
  publication: publicationOrigin.optional(),
  /** What was installed, by path: the images are made with these bytes. */
  digests: z.record(z.string(), digest)
});

/** What a job is, written when it begins: whoever goes on with it makes the same images from it. */
const batchPlan = z.object({
  version: z.literal(1),
  started_at_unix_ms: z.int().min(0),
  definition: batchDefinition,
  seeds: fixedSeeds,
  /** By the names that the batch calls them by. */
  models: z.record(z.string(), plannedModel),
  /** SHA-256 of the images that images are made from, by their paths as they are written. */
  inputs: z.record(z.string(), digest)
});

export type BatchPlan = z.infer<typeof batchPlan>;
export type PlannedModel = z.infer<typeof plannedModel>;

/** The text of a plan. @throws Failure('bad-request') when it would carry a secret */
export function formatPlan(plan: BatchPlan): string {
  requireNoSecret(plan);
  return JSON.stringify(plan);
}

/** Reads the text of a plan. @throws Error when it is none */
export function parsePlan(text: string): BatchPlan {
  return batchPlan.parse(JSON.parse(text));
}
