using Datacake.Domain;
using Datacake.Node;

namespace Datacake.Data.Tests.Domain;

/// <summary>A context whose entity classes are in another assembly.</summary>
public sealed partial class BookingContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Booking> Bookings { get; }
}

/// <summary>A context for a class with a computed property that is not ignored.</summary>
public sealed partial class ComputedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Account> Accounts { get; }
}

/// <summary>A context that ignores the computed property.</summary>
public sealed partial class AccountContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Account> Accounts { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Account>().Ignore(account => account.FullName);
}

/// <summary>A context for classes in another assembly that refer to each other.</summary>
public sealed partial class ClinicContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Patient> Patients { get; }

    public partial Keyspace<Visit> Visits { get; }

    public partial Keyspace<Referral> Referrals { get; }
}
