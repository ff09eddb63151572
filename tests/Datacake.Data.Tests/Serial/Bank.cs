using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

/// <summary>An entity of a serial class.</summary>
[Serial]
public sealed class Account
{
    public string Id { get; set; } = "";

    public string Owner { get; set; } = "";

    [Index]
    public string Branch { get; set; } = "";

    public decimal Balance { get; set; }

    public HashSet<string> Tags { get; set; } = [];

    public AccountLimits? Limits { get; set; }

    public List<Card> Cards { get; } = [];
}

public sealed class AccountLimits
{
    public decimal PerDay { get; set; }

    public decimal PerMonth { get; set; }
}

/// <summary>An entity of a serial class that is deleted with another one.</summary>
public sealed class Card
{
    public string Id { get; set; } = "";

    public string AccountId { get; set; } = "";

    public Account? Account { get; set; }
}

/// <summary>An entity that merges.</summary>
public sealed class Remark
{
    public Guid Id { get; set; }

    public string Text { get; set; } = "";

    [Counter]
    public int Views { get; set; }

    [System.ComponentModel.DataAnnotations.ConcurrencyCheck]
    public int Version { get; set; }
}

public sealed partial class BankContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("BankAccounts")]
    public partial Keyspace<Account> Accounts { get; }

    public partial Keyspace<Card> Cards { get; }

    public partial Keyspace<Remark> Remarks { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Card>().IsSerial();

    public static BankContext Of(DatacakeNode node) => new(node) { DefaultConsistency = Consistency.None };

    /// <summary>Saves an account, and returns its key.</summary>
    public static async Task<string> OpenAccountAsync(DatacakeNode node, decimal balance = 100, string branch = "")
    {
        var account = new Account { Id = Guid.NewGuid().ToString("N"), Owner = "Ada", Branch = branch, Balance = balance };
        await using var db = Of(node);
        db.Accounts.Add(account);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return account.Id;
    }
}

/// <summary>An older version of the application, which does not know all properties.</summary>
[Serial]
public sealed class OldAccount
{
    public string Id { get; set; } = "";

    public decimal Balance { get; set; }
}

public sealed partial class OldBankContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("BankAccounts")]
    public partial Keyspace<OldAccount> Accounts { get; }
}
