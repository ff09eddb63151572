using Datacake.Domain;
using Datacake.Node;

namespace Datacake.Data.Tests.Domain;

/// <summary>A context in another assembly than its entity classes.</summary>
public sealed partial class BookingContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Booking> Bookings { get; }
}

/// <summary>A context of a class with a computed property that nobody has left out.</summary>
public sealed partial class ComputedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Account> Accounts { get; }
}

/// <summary>Leaves the computed property out.</summary>
public sealed partial class AccountContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Account> Accounts { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Account>().Ignore(account => account.FullName);
}

/// <summary>A context of classes of another assembly that refer to each other.</summary>
public sealed partial class ClinicContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Patient> Patients { get; }

    public partial Keyspace<Visit> Visits { get; }

    public partial Keyspace<Referral> Referrals { get; }
}
