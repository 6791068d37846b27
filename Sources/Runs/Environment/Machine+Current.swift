import Platform
import Tensors
import Training

extension Machine {
  /// The one that this rank runs on.
  static var current: Machine {
    Machine(processor: HostResources.processorType, library: MatrixLibrary.description)
  }
}
