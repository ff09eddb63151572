using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

public sealed class LmdbCrashTests : CrashSpecification
{
    protected override IStorage Open(string path) => new LmdbStorage(path);

    // Excludes the reader table.
    protected override bool IsData(string path) => !path.EndsWith("-lock", StringComparison.Ordinal);

    // A buffered commit syncs its pages but not the page that makes them valid.
    protected override double SyncsPerBufferedCommit => 1;
}
