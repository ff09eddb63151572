using System.Text.RegularExpressions;
using CsCheck;

namespace Datacake.Data.Tests.Query;

[Collection(QueriedData.Tests)]
public class TextMatchingTests(QueriedData data)
{
    static readonly string[] Parts = ["a", "b", "%", "_", "\\%", "\\_", "\\\\", "\n"];

    static readonly Gen<string> Pattern = Gen.Int[0, Parts.Length - 1].Select(i => Parts[i]).Array[0, 7].Select(string.Concat);

    static readonly Gen<string> Text = Gen.Int[0, 5].Select(i => "ab%_\\\n"[i]).Array[0, 8].Select(letters => new string(letters));

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Like_matches_the_equivalent_regular_expression() => Gen.Select(Text, Pattern).Sample(
        (text, pattern) => Assert.Equal(Expected(text, pattern), text.Like(pattern)), iter: 20_000);

    [Fact]
    public void Like_never_matches_null_and_matches_the_whole_text()
    {
        Assert.False(((string?)null).Like("%"));
        Assert.True("".Like("%"));
        Assert.Contains("'a\\'", Assert.Throws<ArgumentException>(() => "a".Like("a\\")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => "a".Like(null!));
    }

    [Fact]
    public void Pattern_with_many_wildcards_is_matched_quickly() => Assert.False(new string('a', 20_000).Like(string.Concat(Enumerable.Repeat("%a", 50)) + "b"));

    [Fact]
    public async Task Index_finds_text_that_matches_a_pattern()
    {
        await using var db = data.NewContext();
        string pattern = "a\\_%";
        Assert.Equal("queried: index NullableString where NullableString = 'ab'", db.Everything.Where(e => e.NullableString.Like("ab")).Explain());
        Assert.Equal("queried: index NullableString where NullableString starts with 'ab'", db.Everything.Where(e => e.NullableString.Like("ab%")).Explain());
        Assert.Equal("queried: index NullableString where NullableString starts with 'a_'", db.Everything.Where(e => e.NullableString.Like(pattern)).Explain());
        Assert.StartsWith(
            "queried: index NullableString where NullableString starts with 'a'; check ", db.Everything.Where(e => e.NullableString.Like("a%b_")).Explain(), StringComparison.Ordinal);
        Assert.Equal(data.Entities.Count(e => e.NullableString?.StartsWith('a') == true), await db.Everything.CountAsync(e => e.NullableString.Like("a%"), Token));
    }

    static bool Expected(string text, string pattern)
    {
        string regex = Regex.Replace(pattern, @"\\(.)|%|_|[^\\%_]", part => part.Value switch { "%" => ".*", "_" => ".", _ => Regex.Escape(part.Value.Length == 2 ? part.Value[1..] : part.Value) });
        return Regex.IsMatch(text, $@"\A(?:{regex})\z", RegexOptions.Singleline);
    }
}
