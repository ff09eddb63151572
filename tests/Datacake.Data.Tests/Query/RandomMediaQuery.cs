using System.Linq.Expressions;

namespace Datacake.Data.Tests.Query;

/// <summary>Random conditions and orderings over entities of several classes, as users would write them.</summary>
sealed class RandomMediaQuery(Random random)
{
    static readonly string[] Words = ["a", "b", "ab", "c"];

    readonly int _number = random.Next(8), _year = 2020 + random.Next(5);
    readonly string _word = Words[random.Next(Words.Length)];
    readonly double _minutes = random.Next(8) / 2.0;
    readonly Genre? _genre = random.Next(3) == 0 ? null : (Genre)random.Next(3);

    /// <summary>Creates a random entity of a random class.</summary>
    public static Medium NewMedium(Random random, int id)
    {
        int number = random.Next(8);
        string? word = random.Next(4) == 0 ? null : Words[random.Next(Words.Length)];
        Medium medium = random.Next(5) switch
        {
            0 => new Medium(),
            1 => new Book { Pages = number, Author = word, Subjects = Subjects(), Cover = word is null ? null : new Cover { Color = word }, Rating = number % 3 },
            2 => new Novel { Pages = number, Author = word, Subjects = Subjects(), Genre = number == 7 ? null : (Genre)(number % 3) },
            3 => new Magazine { Pages = number, Issue = number },
            _ => new Film { Minutes = number / 2.0, Studio = word },
        };
        (medium.Id, medium.Title, medium.Year) = (id, Words[random.Next(Words.Length)], 2020 + random.Next(5));
        return medium;

        HashSet<string> Subjects() => [.. Words.Where(_ => random.Next(3) == 0)];
    }

    public Expression<Func<Medium, bool>> OfAll() => random.Next(18) switch
    {
        0 => m => m is Book,
        1 => m => m is Film && ((Film)m).Minutes > _minutes,
        2 => m => m is Printed && ((Printed)m).Pages == _number,
        3 => m => m is Novel || m.Year > _year,
        4 => m => (m is Book && ((Book)m).Author == _word) || (m is Film && ((Film)m).Minutes < _minutes),
        5 => m => m is Book && ((Book)m).Subjects.Contains(_word),
        6 => m => m.GetType() == typeof(Book) && ((Book)m).Pages >= _number,
        7 => m => (m as Film) != null && m.Year == _year,
        8 => m => !(m is Printed),
        9 => m => m is IRated && ((IRated)m).Rating == 1,
        10 => m => m.Year == _year,
        11 => m => m is Printed && m.Title == _word,
        12 => m => m is Novel || m is Film,
        13 => m => m is Medium && m.Id < 100,
        14 => m => m is Novel && ((Book)m).Author == _word && m.Year > _year,
        15 => m => m is Film && m.Year >= _year && ((Film)m).Minutes < _minutes,
        16 => m => m is Book ? ((Book)m).Pages > _number : m.Year == _year,
        _ => m => m is Book && m.Id >= 50 && m.Id < 150,
    };

    public Expression<Func<Printed, bool>> OfPrinted() => random.Next(5) switch
    {
        0 => p => p.Pages > _number,
        1 => p => p.Title.StartsWith(_word),
        2 => p => p is Magazine,
        3 => p => p is Book && ((Book)p).Author == _word,
        _ => p => p.Pages == _number && p.Year == _year,
    };

    public Expression<Func<Book, bool>> OfBooks() => random.Next(9) switch
    {
        0 => b => b.Author == _word,
        1 => b => b.Author == null,
        2 => b => b.Pages >= _number && b.Pages < _number + 3,
        3 => b => b.Year == _year && b.Pages > _number,
        4 => b => b.Cover != null && b.Cover.Color == _word,
        5 => b => b.Subjects.Contains(_word),
        6 => b => b is Novel && ((Novel)b).Genre == _genre,
        7 => b => new[] { _number, _number + 2 }.Contains(b.Pages) || b.Author == _word,
        _ => b => b.Rating > 0,
    };

    public Expression<Func<Film, bool>> OfFilms() => random.Next(3) switch
    {
        0 => f => f.Minutes >= _minutes,
        1 => f => f.Year == _year && f.Minutes < _minutes,
        _ => f => f.Studio == _word,
    };

    public IEnumerable<Medium> OrderAll(ref Query<Medium> query, IEnumerable<Medium> expected)
    {
        switch (random.Next(4))
        {
            case 0:
                query = query.OrderBy(m => m.Year).ThenByDescending(m => m.Id);
                return expected.OrderBy(m => m.Year).ThenByDescending(m => m.Id);
            case 1:
                query = query.OrderByDescending(m => m.Title);
                return expected.OrderByDescending(m => m.Title, StringComparer.Ordinal);
            default:
                return expected;
        }
    }

    public IEnumerable<Printed> OrderPrinted(ref Query<Printed> query, IEnumerable<Printed> expected)
    {
        switch (random.Next(4))
        {
            case 0:
                query = query.OrderByDescending(p => p.Pages);
                return expected.OrderByDescending(p => p.Pages);
            case 1:
                query = query.OrderBy(p => p.Title).ThenBy(p => p.Year);
                return expected.OrderBy(p => p.Title, StringComparer.Ordinal).ThenBy(p => p.Year);
            default:
                return expected;
        }
    }

    public IEnumerable<Book> OrderBooks(ref Query<Book> query, IEnumerable<Book> expected)
    {
        switch (random.Next(6))
        {
            case 0:
                query = query.OrderBy(b => b.Author).ThenBy(b => b.Year);
                return expected.OrderBy(b => b.Author, StringComparer.Ordinal).ThenBy(b => b.Year);
            case 1:
                query = query.OrderByDescending(b => b.Year).ThenByDescending(b => b.Pages);
                return expected.OrderByDescending(b => b.Year).ThenByDescending(b => b.Pages);
            case 2:
                query = query.OrderBy(b => b.Pages);
                return expected.OrderBy(b => b.Pages);
            case 3:
                query = query.OrderByDescending(b => b.Id);
                return expected.OrderByDescending(b => b.Id);
            default:
                return expected;
        }
    }

    public IEnumerable<Film> OrderFilms(ref Query<Film> query, IEnumerable<Film> expected)
    {
        if (random.Next(2) == 0)
            return expected;
        query = query.OrderBy(f => f.Year).ThenByDescending(f => f.Minutes);
        return expected.OrderBy(f => f.Year).ThenByDescending(f => f.Minutes);
    }
}
