import Foundation
import Platform
import Testing

struct HostResourcesTests {
  @Test(arguments: [("0-3,8", 5), ("0", 1), ("", 0), ("0-1,4-5", 4), ("x", 0)])
  func processorsOfAKernelListAreCounted(list: String, count: Int) {
    #expect(HostResources.count(inList: list) == count)
  }

  @Test
  func freeDiskOfAFolderYetToBeMadeIsThatOfItsParent() throws {
    let folder = NSTemporaryDirectory()
    let (parent, child) = (
      HostResources.freeDisk(at: folder), HostResources.freeDisk(at: folder + "/a/b/c")
    )
    let (first, second) = (try #require(parent), try #require(child))
    #expect(first > 0)
    // Other processes may write at the same time.
    #expect(abs(first - second) < 1 << 30)
  }

  @Test
  func thisMachineHasMemoryAndCores() throws {
    #expect(try #require(HostResources.freeMemory) > 1 << 20)
    #expect(HostResources.cores(among: allowedProcessors()) >= 1)
  }
}
