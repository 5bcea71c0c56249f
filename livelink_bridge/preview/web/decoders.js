// Decoders of compressed faces: Draco and Meshopt meshes, KTX2 textures. They ship with this package and are read when a face needs them.

const NEEDED = ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_texture_basisu"];
const FOLDER = new URL("decoders/", import.meta.url).href;

// Readies a GLTFLoader for a file that uses these extensions. Returns what frees the decoders' workers afterwards.
export async function addDecoders(loader, extensions, renderer) {
  if (!NEEDED.some((name) => extensions.includes(name))) return () => {};
  const { DRACOLoader, KTX2Loader, MeshoptDecoder } = await import("livelink-preview/decoders/loaders.js");
  const draco = new DRACOLoader().setDecoderPath(FOLDER).setWorkerLimit(1);
  const textures = new KTX2Loader().setTranscoderPath(FOLDER).setWorkerLimit(1).detectSupport(renderer);
  loader.setDRACOLoader(draco).setKTX2Loader(textures).setMeshoptDecoder(MeshoptDecoder);
  return () => {
    draco.dispose();
    textures.dispose();
  };
}
