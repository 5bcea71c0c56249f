// A face as other programs store it.
import { NodeIO, VertexLayout } from "@gltf-transform/core";
import { EXTMeshoptCompression, KHRDracoMeshCompression } from "@gltf-transform/extensions";
import draco3d from "draco3dgltf";
import { MeshoptDecoder, MeshoptEncoder } from "meshoptimizer";

const libraries = Promise.all([
  draco3d.createEncoderModule(),
  draco3d.createDecoderModule(),
  MeshoptDecoder.ready,
  MeshoptEncoder.ready,
]);

/** Read and write the same face; the name of `to` ends in .glb or .gltf. `list` holds, with commas between them:
 *   interleaved | separate, sparse, meshopt, draco, buffers (a buffer a mesh). */
export async function rewrite(from, to, list) {
  const kinds = new Set(list.split(","));
  const [encoder, decoder] = await libraries;
  const io = new NodeIO().registerExtensions([EXTMeshoptCompression, KHRDracoMeshCompression]).registerDependencies({
    "meshopt.decoder": MeshoptDecoder,
    "meshopt.encoder": MeshoptEncoder,
    "draco3d.encoder": encoder,
    "draco3d.decoder": decoder,
  });
  io.setVertexLayout(kinds.has("separate") ? VertexLayout.SEPARATE : VertexLayout.INTERLEAVED);
  const document = await io.read(from);
  const root = document.getRoot();
  const targets = root.listMeshes().flatMap((mesh) => mesh.listPrimitives()).flatMap((part) => part.listTargets());
  const accessors = new Set(targets.flatMap((target) => target.listAttributes()));
  if (kinds.has("sparse")) for (const accessor of accessors) accessor.setSparse(true);
  if (kinds.has("meshopt")) document.createExtension(EXTMeshoptCompression).setRequired(true);
  if (kinds.has("draco")) document.createExtension(KHRDracoMeshCompression).setRequired(true);
  if (kinds.has("buffers")) {
    const buffer = document.createBuffer("targets").setURI("targets.bin");
    for (const accessor of accessors) accessor.setBuffer(buffer);
  }
  await io.write(to, document);
}
