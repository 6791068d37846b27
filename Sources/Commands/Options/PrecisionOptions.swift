import ArgumentParser
import Collectives
import Electra
import Platform
import Runs
import Tensors

/// The option for the arithmetic of matrix products.
struct ArithmeticOption: ParsableArguments {
  @Option(
    help: """
      The arithmetic of matrix products: float32, or bfloat16 or bfloat16-amx (factors rounded to \
      bfloat16, sums in float32, in the order of AVX512-BF16 or AMX). By default that of the \
      existing run, checkpoint or fine-tuning, and float32 for a new one, whatever the model it \
      starts from was trained with.
      """)
  var arithmetic: Arithmetic?
}

extension Arithmetic: ExpressibleByArgument {}

/// The options for gradients and weights between ranks.
struct ExchangeOptions: ParsableArguments {
  @Option(
    help: """
      How gradients are sent between ranks: float32, or bfloat16, half the bytes (with \
      --arithmetic bfloat16 or bfloat16-amx, weights too); fixed at the first start.
      """)
  var exchange: ExchangeFormat?

  @Option(
    help: """
      The level of the reduction tree from which sums are rounded in --exchange bfloat16: sums of \
      2^LEVEL slices; by default those of one rank of the first start.
      """)
  var exchangeLevel: Int?

  /// Sets the values of the given options.
  func apply(to configuration: inout PretrainingConfiguration) {
    if let exchange { configuration.exchange = exchange }
    if exchange == .float32 { configuration.exchangeLevel = nil }
    if let exchangeLevel { configuration.exchangeLevel = exchangeLevel }
  }
}

extension ExchangeFormat: ExpressibleByArgument {}

/// Selects the kernel of each rank for `arithmetic` and prints its warnings on rank 0.
///
/// Every rank must call it before its first product. Throws if the ranks have another arithmetic.
func selectKernel(_ arithmetic: Arithmetic, _ world: Communicator = .alone()) throws {
  let warnings = try KernelSelection(arithmetic, world).warnings
  if world.rank == 0 { warnings.forEach(warn) }
}
