using System.ComponentModel.DataAnnotations.Schema;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>A context with entities of several classes in one keyspace, with indexes of each kind on derived classes.</summary>
public sealed partial class MediaContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Medium> Media { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Medium>().HasIndex(m => new { ((Book)m).Author, m.Year });
        model.Entity<Film>(film =>
        {
            film.HasIndex(f => new { f.Year, f.Minutes }).IsDescending(false, true);
            film.Property(f => f.Studio).HasMaxLength(20);
        });
    }
}

public interface IRated
{
    int Rating { get; }
}

[Derived(typeof(Book), "book"), Derived(typeof(Novel), "novel"), Derived(typeof(Magazine), "magazine"), Derived(typeof(Film), "film")]
public class Medium
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public int Id { get; set; }
    public string Title { get; set; } = "";
    [Index] public int Year { get; set; }
}

[Index(nameof(Title), Name = "printed titles")]
public abstract class Printed : Medium
{
    [Index] public int Pages { get; set; } = 10;
}

[Index(nameof(Year), nameof(Pages), Name = "years of books")]
public class Book : Printed, IRated
{
    [Index] public string? Author { get; set; }
    [Index] public HashSet<string> Subjects { get; set; } = [];
    public Cover? Cover { get; set; }
    public int Rating { get; set; }
}

public sealed class Cover
{
    [Index] public string? Color { get; set; }
}

public sealed class Novel : Book
{
    [Index] public Genre? Genre { get; set; }
}

public enum Genre
{
    Crime,
    Love,
    Other,
}

public sealed class Magazine : Printed
{
    public int Issue { get; set; }
}

public sealed class Film : Medium, IRated
{
    [Index] public double Minutes { get; set; }
    public string? Studio { get; set; }

    int IRated.Rating => (int)Minutes;
}
