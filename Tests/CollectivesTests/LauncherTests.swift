import Collectives
import Foundation
import Testing

/// What the environment tells of a launcher, each in a process of its own.
struct LauncherTests {
  @Test
  func withoutALauncherThereIsOneRank() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] { unsetenv(name) }
      let world = try Communicator.start()
      #expect(world.rank == 0 && world.size == 1)
      #expect(try world.sum([3]) == [3] && world.gather([1.5]) == [[1.5]])
      exit(0)
    }
  }

  /// A rank of srun that was told nothing would believe that it is alone.
  @Test
  func srunThatNamesNoMPIIsRefused() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"] { unsetenv(name) }
      setenv("SLURM_STEP_NUM_TASKS", "2", 1)
      do {
        _ = try Communicator.start()
      } catch CollectivesError.launcherIsSilent(launcher: "srun", count: 2) {
        exit(0)
      }
      exit(1)
    }
  }

  /// A verb that needs no other rank does without MPI, which srun may not start.
  @Test
  func oneRankOfALauncherIsEnoughWhereItIsAskedFor() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"] { unsetenv(name) }
      setenv("SLURM_STEP_NUM_TASKS", "1", 1)
      exit(try Communicator.start(isOneEnough: true).size == 1 ? 0 : 1)
    }
  }

  @Test
  func sentencesNameTheLauncherAndTheWayOut() {
    let silent = CollectivesError.launcherIsSilent(launcher: "srun", count: 4)
    #expect("\(silent)".hasPrefix("srun started 4 ranks") && "\(silent)".contains("--mpi=pmix"))
    let other = CollectivesError.launcherDisagrees(
      launcher: "an MPICH launcher", expected: 2, library: "Open MPI v4.1.4")
    #expect("\(other)".contains("an MPICH launcher started 2 ranks"))
    #expect("\(other)".contains("built with Open MPI v4.1.4"))
  }
}
