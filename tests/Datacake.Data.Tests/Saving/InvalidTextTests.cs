using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Saving;

/// <summary>Tests that text with a lone surrogate is refused before anything is stored. The error names the entity and the property.</summary>
public sealed class InvalidTextTests(StoreFixture store)
{
    const string Half = "a\uD800b";

    public static TheoryData<string, Action<Letter>> Places { get; } = new()
    {
        { "Text", letter => letter.Text = Half },
        { "Indexed", letter => letter.Indexed = Half },
        { "Lines", letter => letter.Lines.Add(Half) },
        { "Tags", letter => letter.Tags.Add(Half) },
        { "Notes", letter => letter.Notes["x"] = Half },
        { "Notes", letter => letter.Notes[Half] = "x" },
        { "Seal.Text", letter => letter.Seal = new() { Text = Half } },
        { "Pages", letter => letter.Pages.Add(new() { Text = Half }) },
    };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Lone_surrogate_is_refused_with_its_property(string property, Action<Letter> spoil)
    {
        await using var db = Context();
        var letter = new Letter { Id = 7 };
        spoil(letter);
        db.Letters.Put(letter);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        var error = Assert.Single(exception.Errors);
        Assert.Equal(("Letter", property, "7"), (error.Entity, error.Property, $"{error.Key}"));
        Assert.DoesNotContain("Parameter", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, await Context().Letters.CountAsync(Token));
    }

    [Fact]
    public async Task Lone_surrogate_in_a_key_is_refused_with_its_entity()
    {
        await using var db = Context();
        var exception = Assert.ThrowsAny<ArgumentException>(() => db.Stamps.Add(new Stamp { Id = Half }));
        Assert.Contains("Stamp", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Id", exception.Message, StringComparison.Ordinal);
    }

    LetterContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };
}

public sealed class Letter
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    public string Text { get; set; } = "";
    [Index] public string Indexed { get; set; } = "";
    public List<string> Lines { get; set; } = [];
    [Index] public HashSet<string> Tags { get; set; } = [];
    public Dictionary<string, string> Notes { get; set; } = [];
    public LetterSeal? Seal { get; set; }
    public List<LetterPage> Pages { get; set; } = [];
}

public sealed class LetterSeal
{
    public string Text { get; set; } = "";
}

public sealed class LetterPage
{
    public string Text { get; set; } = "";
}

public sealed class Stamp
{
    public string Id { get; set; } = "";
}

public sealed partial class LetterContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Letter> Letters { get; }

    public partial Keyspace<Stamp> Stamps { get; }
}
