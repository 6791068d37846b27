import ArgumentParser
import Collectives
import Tensors
import Training

/// Runs `body` on every rank, and turns an error into one sentence from rank zero and one exit status
/// on all. `body` sees to it that all ranks throw together.
func runOnAllRanks(_ body: (Communicator) throws -> Void) throws {
  var world: Communicator?
  do {
    let started = try Communicator.start()
    world = started
    try body(started)
  } catch let error as ExitCode {
    throw error
  } catch {
    if world?.rank ?? 0 == 0 { standardError("electra: \(error)\n") }
    throw ExitCode(try agreed(exitStatus(of: error), world).rawValue)
  }
}

/// The status of the rank where the error arose: the others only know that a rank has failed.
private func agreed(_ own: ExitStatus, _ world: Communicator?) throws -> ExitStatus {
  let all = try world?.gather([own.rawValue]).flatMap(\.self) ?? [own.rawValue]
  let first = all.first { $0 != ExitStatus.disagreement.rawValue }
  return first.flatMap(ExitStatus.init) ?? .disagreement
}

/// The first meeting of the ranks: program, processors' kernels and options must be the same.
func expectEqualPrograms(_ world: Communicator) throws {
  if world.size == 1 { return }
  let program = CheckpointState.checksum(of: "/proc/self/exe") ?? ""
  let options = commandLineOptions(CommandLine.arguments)
  let names = try world.gather(Array(options.keys.sorted().joined(separator: " ").utf8))
  let all = Set(names.flatMap { String(decoding: $0, as: UTF8.self).split(separator: " ") })
  try world.expectEqual(
    [
      ("program file", program), ("MPI library", Communicator.libraryVersion),
      ("OpenBLAS or processor type", MatrixLibrary.description),
    ] + all.sorted().map { ("option \($0)", options[String($0)] ?? "none") })
}

/// The options of a command line, but for those that may differ from host to host.
private func commandLineOptions(_ arguments: [String]) -> [String: String] {
  var options: [String: String] = [:]
  var name = ""
  for argument in arguments.dropFirst() {
    if argument.hasPrefix("--") {
      let parts = argument.split(separator: "=", maxSplits: 1)
      name = String(parts[0])
      options[name, default: ""] += parts.count > 1 ? " \(parts[1])" : ""
    } else {
      options[name, default: ""] += " " + argument
    }
  }
  for own in ["--threads", "--data", ""] { options[own] = nil }
  return options
}
