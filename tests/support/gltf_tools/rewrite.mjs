// node rewrite.mjs IN.glb OUT KIND: the same face as other programs store it. KIND is a list with commas of:
//   interleaved | separate, sparse, meshopt, draco, buffers (a buffer a mesh). OUT ends in .glb or .gltf.
import { NodeIO, VertexLayout } from "@gltf-transform/core";
import { EXTMeshoptCompression, KHRDracoMeshCompression } from "@gltf-transform/extensions";
import draco3d from "draco3dgltf";
import { MeshoptDecoder, MeshoptEncoder } from "meshoptimizer";

const [from, to, list] = process.argv.slice(2);
const kinds = new Set(list.split(","));
await Promise.all([MeshoptDecoder.ready, MeshoptEncoder.ready]);
const io = new NodeIO().registerExtensions([EXTMeshoptCompression, KHRDracoMeshCompression]).registerDependencies({
  "meshopt.decoder": MeshoptDecoder,
  "meshopt.encoder": MeshoptEncoder,
  "draco3d.encoder": await draco3d.createEncoderModule(),
  "draco3d.decoder": await draco3d.createDecoderModule(),
});
io.setVertexLayout(kinds.has("separate") ? VertexLayout.SEPARATE : VertexLayout.INTERLEAVED);
const document = await io.read(from);
const root = document.getRoot();
if (kinds.has("sparse")) {
  for (const mesh of root.listMeshes())
    for (const primitive of mesh.listPrimitives())
      for (const target of primitive.listTargets()) for (const accessor of target.listAttributes()) accessor.setSparse(true);
}
if (kinds.has("meshopt")) document.createExtension(EXTMeshoptCompression).setRequired(true);
if (kinds.has("draco")) document.createExtension(KHRDracoMeshCompression).setRequired(true);
if (kinds.has("buffers")) {
  const targets = root.listMeshes().flatMap((mesh) => mesh.listPrimitives()).flatMap((primitive) => primitive.listTargets());
  const buffer = document.createBuffer("targets").setURI("targets.bin");
  for (const accessor of new Set(targets.flatMap((target) => target.listAttributes()))) accessor.setBuffer(buffer);
}
await io.write(to, document);
