using Datacake.Storage.Specification;

namespace Datacake.Storage.Tests;

public sealed class MemoryStorageTests : StorageSpecification
{
    protected override IStorage Open(string path) => new MemoryStorage();
}
