using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Data.Tests.Serial;

/// <summary>A class that is not serial, and stored where a serial one is.</summary>
public sealed class MergingAccount
{
    public string Id { get; set; } = "";
}

public sealed partial class MergingBankContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("BankAccounts")]
    public partial Keyspace<MergingAccount> Accounts { get; }
}

[Serial]
public abstract class LedgerItem
{
    public string Id { get; set; } = "";
}

public abstract class NamedLedgerItem : LedgerItem;

/// <summary>A class that inherits attributes.</summary>
public sealed class LedgerPage : NamedLedgerItem;

[DeleteWins, ExpiresAfter("00:10:00")]
public abstract class Passing
{
    public string Id { get; set; } = "";
}

public sealed class Visit : Passing;

[ExpiresAfter("00:05:00")]
public sealed class ShortVisit : Passing;

public sealed partial class InheritingContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("InheritedLedger")]
    public partial Keyspace<LedgerPage> Pages { get; }

    [Keyspace("InheritedVisits")]
    public partial Keyspace<Visit> Visits { get; }

    [Keyspace("InheritedShortVisits")]
    public partial Keyspace<ShortVisit> ShortVisits { get; }
}

public sealed class SerialDeclarationTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("datacake-serial-").FullName;

    [Fact]
    public void Model_says_that_a_class_is_serial()
    {
        Assert.Equal([true, true, false], [.. Models().Select(model => model.IsSerial)]);

        static IEnumerable<EntityModel> Models()
        {
            var options = new DatacakeNodeOptions().WithModel<BankContext>();
            Assert.NotNull(options);
            var context = (BankContext)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(typeof(BankContext));
            return context.Keyspaces.Select(keyspace => keyspace.Entity);
        }
    }

    [Fact]
    public void Attributes_of_base_classes_apply()
    {
        var context = (InheritingContext)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(typeof(InheritingContext));
        Assert.Equal(
            [(MergePolicy.Serial, null), (MergePolicy.DeleteWins, TimeSpan.FromMinutes(10)), (MergePolicy.DeleteWins, TimeSpan.FromMinutes(5))],
            context.Keyspaces.Select(static keyspace => (keyspace.Entity.Policy, keyspace.Entity.ExpiresAfter)));
    }

    [Fact]
    public async Task Serial_class_that_is_no_longer_serial_is_refused()
    {
        await using (var node = await StartAsync())
            await BankContext.OpenAccountAsync(node);
        await using (var node = await StartAsync())
        {
            await using var db = new MergingBankContext(node);
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Accounts.ToListAsync(Token));
            Assert.StartsWith(
                "The class MergingAccount is declared as not serial, but the keyspace 'BankAccounts' has 1 document and is serial. A keyspace is one or the other for life, on all nodes. "
                    + "Nothing was changed. Add [Serial] or IsSerial(), or give the new kind a keyspace of its own",
                error.Message, StringComparison.Ordinal);
        }
        await using (var node = await StartAsync())
        {
            await using var db = BankContext.Of(node);
            Assert.Equal(1, await db.Accounts.CountAsync(Token));
        }
    }

    [Fact]
    public async Task Merging_class_that_becomes_serial_is_refused()
    {
        await using (var node = await StartAsync())
        {
            await using var db = new MergingBankContext(node);
            db.Add(new MergingAccount { Id = "one" });
            await db.SaveChangesAsync(Token);
        }
        await using (var node = await StartAsync())
        {
            await using var db = BankContext.Of(node);
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Accounts.ToListAsync(Token));
            Assert.StartsWith("The class Account is declared as serial, but the keyspace 'BankAccounts' has 1 document and is not serial.", error.Message, StringComparison.Ordinal);
            Assert.Contains("Remove [Serial] or IsSerial(), or give the new kind a keyspace of its own ([Keyspace(\"…\")] or ToKeyspace)", error.Message, StringComparison.Ordinal);
        }
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await using var node = await StartAsync(options => options.WithModel<BankContext>());
            await node.OpenStoreAsync(Token);
        });
        await using (var node = await StartAsync())
        {
            await using var db = new MergingBankContext(node);
            Assert.Equal("one", (await db.Accounts.SingleAsync(Token)).Id);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    ValueTask<DatacakeNode> StartAsync(Action<DatacakeNodeOptions>? configure = null) => DatacakeNode.StartAsync(
        options =>
        {
            options.WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite(Path.Combine(_folder, "bank.db"));
            configure?.Invoke(options);
        },
        Token);

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
