using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

public sealed class LmdbCrashTests : CrashSpecification
{
    protected override IStorage Open(string path) => new LmdbStorage(path);

    // The table of readers.
    protected override bool IsData(string path) => !path.EndsWith("-lock", StringComparison.Ordinal);

    // Its pages, and not the page that makes them valid.
    protected override double SyncsPerBufferedCommit => 1;
}
