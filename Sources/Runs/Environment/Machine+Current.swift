import Platform
import Tensors
import Training

extension Machine {
  /// The machine of this rank.
  static var current: Machine {
    Machine(processor: HostResources.processorType, library: MatrixLibrary.description)
  }
}
