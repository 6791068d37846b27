import Tensors
import Testing

/// Kernels for processors that are newer than OpenBLAS.
struct MatrixLibraryTests {
  @Test(arguments: [
    ("Prescott", 512, "SkylakeX"), ("Prescott", 256, "Haswell"), ("Nehalem", 256, "Haswell"),
  ])
  func kernelsFarBelowTheProcessorAreReplaced(core: String, bits: Int, better: String) {
    #expect(MatrixLibrary.betterKernels(than: core, vectorBits: bits, chosen: nil) == better)
  }

  @Test(arguments: [
    ("Haswell", 512, nil), ("SkylakeX", 512, nil), ("Zen", 256, nil), ("Prescott", 128, nil),
    ("Prescott", 0, nil), ("Prescott", 512, "Prescott"), ("NEOVERSEN1", 0, nil),
  ])
  func kernelsThatFitOrWereChosenStay(core: String, bits: Int, chosen: String?) {
    #expect(MatrixLibrary.betterKernels(than: core, vectorBits: bits, chosen: chosen) == nil)
  }
}
