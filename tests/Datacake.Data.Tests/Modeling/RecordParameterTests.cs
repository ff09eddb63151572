using System.ComponentModel.DataAnnotations;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Modeling;

/// <summary>Tests that attributes on the parameters of a record apply to its properties.</summary>
public sealed class RecordParameterTests(StoreFixture store)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Validation_attributes_on_record_parameters_are_checked()
    {
        await using var db = Context();
        db.Persons.Add(new Person(1, "Bertram", null, "x"));
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(["Name", "Nick"], exception.Errors.Select(error => error.Property).Order());
    }

    [Fact]
    public async Task Index_on_a_record_parameter_is_used()
    {
        await using var db = Context();
        db.Persons.Add(new Person(2, "Ann", "A", "Rome"));
        await db.SaveChangesAsync(Token);
        Assert.Equal("Persons: index City where City = 'Rome'", db.Persons.Where(p => p.City == "Rome").Explain());
        Assert.Equal("Ann", (await db.Persons.SingleAsync(p => p.City == "Rome", Token)).Name);
    }

    PersonContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };
}

public sealed record Person(long Id, [MaxLength(5)] string Name, [Required] string? Nick, [Index] string City);

public sealed partial class PersonContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Person> Persons { get; }
}
