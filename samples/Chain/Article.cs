namespace Datacake.Chain;

/// <summary>An article with its price, which the head office sets.</summary>
public sealed class Article
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public decimal Price { get; set; }
}
