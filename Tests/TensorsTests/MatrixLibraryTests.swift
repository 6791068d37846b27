import Tensors
import Testing

/// Kernels whose vectors do not fit the processor.
struct MatrixLibraryTests {
  @Test(arguments: [
    ("Prescott", 512, "SkylakeX"), ("Prescott", 256, "Haswell"), ("Nehalem", 256, "Haswell"),
    ("Cooperlake", 256, "Zen"), ("SkylakeX", 256, "Zen"),
  ])
  func kernelsThatDoNotFitAreReplaced(core: String, bits: Int, better: String) {
    #expect(MatrixLibrary.betterKernels(than: core, vectorBits: bits, chosen: nil) == better)
  }

  @Test(arguments: [
    ("Haswell", 512, nil), ("SkylakeX", 512, nil), ("Zen", 256, nil), ("Prescott", 128, nil),
    ("Prescott", 0, nil), ("Prescott", 512, "Prescott"), ("NEOVERSEN1", 0, nil),
    ("Cooperlake", 512, nil), ("Cooperlake", 256, "Cooperlake"),
  ])
  func kernelsThatFitOrWereChosenStay(core: String, bits: Int, chosen: String?) {
    #expect(MatrixLibrary.betterKernels(than: core, vectorBits: bits, chosen: chosen) == nil)
  }
}
