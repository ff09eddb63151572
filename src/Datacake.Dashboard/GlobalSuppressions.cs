using System.Diagnostics.CodeAnalysis;

// Razor makes every component public. They are an implementation detail, hidden from completion, and no part of the API.
[assembly: SuppressMessage("ApiDesign", "RS0016", Justification = "Razor components", Scope = "namespaceanddescendants", Target = "~N:Datacake.Dashboard.Pages")]
[assembly: SuppressMessage("ApiDesign", "RS0041", Justification = "Razor components", Scope = "namespaceanddescendants", Target = "~N:Datacake.Dashboard.Pages")]
