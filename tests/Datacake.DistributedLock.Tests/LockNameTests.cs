using System.Text;
using Datacake.EventualConsistency;

namespace Datacake.DistributedLock.Tests;

public sealed class LockNameTests
{
    static readonly string[] Names =
    [
        "a", "A", "a ", "", " ", "lock:a", "lock#a", "ä", "a\u0308", "日本語", "😀", "/path/to?x=1&y=%20", "\n", "\0", "a\0", "\ud800", "\ud801", "a\udc00", "\ufffd",
        new('x', 195), new('x', 196), new('x', 100_000), new('ä', 97), new('ä', 98), new('\0', 195),
    ];

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lock_of_any_name_is_acquired_and_differs_from_the_locks_of_all_other_names()
    {
        await using var cluster = await LockCluster.StartAsync(1, TimeSpan.FromDays(1));
        var handles = new List<DatacakeDistributedLockHandle>();
        foreach (string name in Names)
        {
            var wanted = cluster[1].Locks.CreateLock(name);
            Assert.Equal(name, wanted.Name);
            var handle = await wanted.TryAcquireAsync(cancellationToken: Canceled);
            Assert.NotNull(handle);
            handles.Add(handle);
        }
        foreach (string name in Names)
            Assert.Null(await cluster[1].Locks.CreateLock(name).TryAcquireAsync(cancellationToken: Canceled));
        foreach (var handle in handles)
            await handle.DisposeAsync();
    }

    [Fact]
    public void Lease_has_the_name_of_the_lock_if_it_fits_and_a_hash_otherwise()
    {
        Assert.Equal("lock:nightly report", LeaseNames.Of("nightly report"));
        Assert.Equal("lock:" + new string('x', 195), LeaseNames.Of(new string('x', 195)));
        Assert.Matches("^lock#[0-9a-f]{64}$", LeaseNames.Of(new string('x', 196)));
        Assert.All(Names, static name => Assert.InRange(Encoding.UTF8.GetByteCount(LeaseNames.Of(name)), 1, NodeLeases.MaxNameLength));
        Assert.Distinct(Names.Select(LeaseNames.Of));
    }
}
