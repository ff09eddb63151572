using System.Text.Json;
using Datacake.Administration.Conditions;

namespace Datacake.Administration.Tests;

/// <summary>The language of conditions.</summary>
public class ConditionTests
{
    static readonly JsonElement Cake = JsonElement.Parse(
        """{"Name":"Peter's cake","Price":12.50,"IsSold":true,"Note":null,"Tags":["a","b"],"Home.City":"Graz","Sizes":{"Large":{"Price":30}},"unit price":3,"and":1}""");

    [Theory]
    [InlineData("Price = 12.5")]
    [InlineData("Price > 10 and Price <= 12.50")]
    [InlineData("Name = 'Peter''s cake'")]
    [InlineData("Name contains 'cake' AND Name startswith 'Peter'")]
    [InlineData("IsSold = true")]
    [InlineData("Note = null and Missing = null and Name != null")]
    [InlineData("Tags contains 'b'")]
    [InlineData("Home.City = 'Graz'")]
    [InlineData("Sizes.Large.Price >= 30")]
    [InlineData("[unit price] < 4")]
    [InlineData("Price < 1 or (Price > 1 and not IsSold = false)")]
    [InlineData("not Price < 1 and not (Price = 'a' or Name > 1)")]
    [InlineData("Price > -1e3")]
    public void Condition_is_satisfied(string condition) => Assert.True(ConditionParser.Parse(condition).IsSatisfiedBy(Cake));

    [Theory]
    [InlineData("Price = '12.5'")]
    [InlineData("Price < 'z' or Price > 'a'")]
    [InlineData("Name = 'peter''s cake'")]
    [InlineData("IsSold = false or IsSold = 1")]
    [InlineData("Missing > 0 or Missing < 0")]
    [InlineData("Tags contains 'c'")]
    [InlineData("Price > 1 and Price > 100 or IsSold = false")]
    public void Condition_is_not_satisfied(string condition) => Assert.False(ConditionParser.Parse(condition).IsSatisfiedBy(Cake));

    [Theory]
    [InlineData("", "the end")]
    [InlineData("Price >", "the end")]
    [InlineData("Price > 1 and", "the end")]
    [InlineData("Price > x", "'x' at position 9")]
    [InlineData("(Price > 1", "closing parenthesis")]
    [InlineData("Price > 1)", "')' at position 10")]
    [InlineData("Price ~ 1", "'~' at position 7")]
    [InlineData("Name = 'open", "''' at position 8")]
    public void Error_names_the_position(string condition, string expected)
    {
        var error = Assert.Throws<ConditionException>(() => ConditionParser.Parse(condition));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.Contains("nested", Assert.Throws<ConditionException>(static () => ConditionParser.Parse(new string('(', 100_000))).Message, StringComparison.Ordinal);
}
