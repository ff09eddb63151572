namespace Datacake.Domain;

/// <summary>An entity that exposes its dependents as collection interfaces.</summary>
public class Patient : Entity<long>
{
    readonly List<Visit> _visits = [];
    List<Referral>? _referrals;         // null until the first referral

    Patient()
    {
    }

    public Patient(long id, string name)
        : this() => (Id, Name) = (id, name);

    public string Name { get; private set; } = "";

    public IReadOnlyCollection<Visit> Visits => _visits;

    public ICollection<Referral>? Referrals => _referrals;

    public Visit Come(long id, string why)
    {
        var visit = new Visit(id, this, why);
        _visits.Add(visit);
        return visit;
    }

    public void Refer(Referral referral) => (_referrals ??= []).Add(referral);

    public void Forget(Visit visit) => _visits.Remove(visit);
}

/// <summary>An entity whose reference and foreign key have private setters.</summary>
public class Visit : Entity<long>
{
    Visit()
    {
    }

    internal Visit(long id, Patient patient, string why)
        : this() => (Id, Patient, Why) = (id, patient, why);

    public long PatientId { get; private set; }

    public Patient Patient { get; private set; } = null!;

    public string Why { get; private set; } = "";
}

/// <summary>An entity with a foreign key and no reference navigation.</summary>
public class Referral : Entity<long>
{
    Referral()
    {
    }

    public Referral(long id, string to)
        : this() => (Id, To) = (id, to);

    public long PatientId { get; private set; }

    public string To { get; private set; } = "";
}
