/** An image of the gallery, as lists show it. */
export interface GalleryImage {
  readonly path: string;
  /** As a rule the prompt. */
  readonly label: string;
  /** The name of the model that made it. */
  readonly model: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Of a video alone. */
  readonly frames?: number | undefined;
  readonly createdAtUnixMs: number;
}
