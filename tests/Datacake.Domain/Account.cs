namespace Datacake.Domain;

/// <summary>An entity with a computed property, which cannot be distinguished from a stored property once the class is compiled.</summary>
public class Account
{
    public long Id { get; set; }

    public string First { get; set; } = "";

    public string Last { get; set; } = "";

    public string FullName => $"{First} {Last}";
}
