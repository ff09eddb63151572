using System.ComponentModel.DataAnnotations;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Saving;

/// <summary>Tests of validation rules in lists, dictionaries and structs.</summary>
public sealed class NestedRuleTests(StoreFixture store)
{
    [Fact]
    public async Task Rules_in_lists_dictionaries_and_structs_are_checked_at_save_and_all_errors_are_reported()
    {
        await using var db = Context();
        var form = Valid(1);
        form.Fields.Add(new Field { Label = null!, Choices = ["a", null!] });
        form.Fields.Add(null!);
        form.Names[1] = null!;
        form.Notes.Add(new Note<string>(null!));
        form.ByName["first"].Code = "too long";
        form.ByName["second"] = null!;
        form.Groups["g"].Add(null!);
        form.Seal = new Seal { Signer = null! };
        form.Previous = new Seal { Signer = "much too long" };
        db.Forms.Add(form);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(
            [
                "ByName[first].Code has a length of 8, but the limit is 3",
                "ByName[second] is null, but must have a value",
                "Fields[1].Choices[1] is null, but must have a value",
                "Fields[1].Label is null, but must have a value",
                "Fields[2] is null, but must have a value",
                "Groups[g][1] is null, but must have a value",
                "Names[1] is null, but must have a value",
                "Notes[0].Text is null, but must have a value",
                "Previous.Signer has a length of 13, but the limit is 5",
                "Seal.Signer is null, but must have a value",
            ],
            exception.Errors.Select(error => $"{error.Property} {error.Problem}").Order(StringComparer.Ordinal));
        await using var other = Context();
        Assert.Null(await other.Forms.FindAsync([1L], Token));
    }

    [Fact]
    public async Task Nullable_items_and_properties_in_lists_and_dictionaries_can_be_null()
    {
        await using (var db = Context())
        {
            var form = Valid(2);
            form.Remarks.Add(null);
            form.Fields[0].Code = null;
            form.OptionalNotes.Add(new Note<string?>(null));
            form.Optional["none"] = null;
            db.Forms.Add(form);
            await db.SaveChangesAsync(Token);
        }
        await using var other = Context();
        var read = (await other.Forms.FindAsync([2L], Token))!;
        Assert.Equal(["fine", null], read.Remarks);
        Assert.Null(read.Fields[0].Code);
        Assert.Null(Assert.Single(read.OptionalNotes).Text);
        Assert.Null(Assert.Single(read.Optional).Value);
    }

    [Fact]
    public async Task ExecuteUpdate_checks_rules_in_lists()
    {
        await using var db = Context();
        db.Forms.Add(Valid(3));
        await db.SaveChangesAsync(Token);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.Forms.Where(form => form.Id == 3)
            .ExecuteUpdateAsync(s => s.SetProperty(form => form.Names, new List<string> { null! }), cancellationToken: Token));
        Assert.Equal("Names[0]", Assert.Single(exception.Errors).Property);
    }

    static Form Valid(long id) => new()
    {
        Id = id,
        Fields = [new Field { Label = "x", Code = "abc" }],
        Names = ["a", "b"],
        Remarks = ["fine"],
        ByName = { ["first"] = new Field { Label = "y" } },
        Groups = { ["g"] = ["h"] },
        Seal = new Seal { Signer = "me" },
    };

    FormContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}

public sealed class Form
{
    public long Id { get; set; }

    public List<Field> Fields { get; set; } = [];

    public IList<string> Names { get; set; } = [];

    public List<string?> Remarks { get; set; } = [];

    public Dictionary<string, Field> ByName { get; } = [];

    public Dictionary<string, Field?> Optional { get; } = [];

    public Dictionary<string, List<string>> Groups { get; } = [];

    public List<Note<string>> Notes { get; set; } = [];

    public List<Note<string?>> OptionalNotes { get; set; } = [];

    public Seal Seal { get; set; }

    public Seal? Previous { get; set; }
}

public sealed class Field
{
    [Required]
    public string? Label { get; set; }

    [MaxLength(3)]
    public string? Code { get; set; }

    public string[] Choices { get; set; } = [];
}

public sealed record Note<T>(T Text);

public struct Seal
{
    [MaxLength(5)]
    public string Signer { get; set; }
}

public sealed partial class FormContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Form> Forms { get; }
}
