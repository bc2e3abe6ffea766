<#
.SYNOPSIS
Builds, tests, packs, and shows PSModel.
.DESCRIPTION
Build   builds everything and stages the module in out/PSModel/<version>/.
Test    builds, then runs every test: those of xunit, and by them the Pester files.
Pester  builds, then runs the Pester files alone, in this PowerShell; -ResultPath gives the results as NUnit XML.
Pack    builds the module, makes out/PSModel.<version>.nupkg of it, and says the file's path and size. Install-PSResource
        takes the file from a folder that is registered as a repository. The same sources give the same bytes.
Demo    builds, then runs the demo: no network is needed.
.EXAMPLE
./build.ps1
.EXAMPLE
./build.ps1 -Task Test
.EXAMPLE
./build.ps1 -Task Pester -ResultPath TestResults/pester.xml
.EXAMPLE
./build.ps1 -Task Pack
Register-PSResourceRepository -Name local -Uri ./out -Trusted
Install-PSResource PSModel -Repository local
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Pester', 'Pack', 'Demo')]
    [string] $Task = 'Build',

    [string] $ResultPath
)

$ErrorActionPreference = 'Stop'
$solution = "$PSScriptRoot/PSModel.sln"

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $($args[0]) failed."
    }
}

# Test-ModuleManifest reads the version as the gallery does.
function Invoke-Pack {
    Invoke-Dotnet pack "$PSScriptRoot/src/PSModel" --nologo
    $version = (Test-ModuleManifest "$PSScriptRoot/PSModel.psd1").Version
    $package = [System.IO.FileInfo] "$PSScriptRoot/out/PSModel.$version.nupkg"
    "The package is $($package.FullName), $($package.Length) bytes."
}

if ($Task -ne 'Pack') {
    Invoke-Dotnet build $solution --nologo
}

switch ($Task) {
    'Build' {
        $version = (Import-PowerShellDataFile (Join-Path $PSScriptRoot 'PSModel.psd1')).ModuleVersion
        Write-Host "The module is staged in $(Join-Path $PSScriptRoot "out/PSModel/$version")."
    }
    'Test' {
        Invoke-Dotnet test $solution --nologo --no-build
    }
    'Pester' {
        # The build has brought it.
        $packages = if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES } else { Join-Path $HOME '.nuget/packages' }
        $pester = Get-ChildItem (Join-Path $packages 'pester') -Directory |
            Where-Object Name -Match '^[0-9.]+$' | Sort-Object { [version] $_.Name } | Select-Object -Last 1
        & "$PSScriptRoot/tests/Invoke-PesterFile.ps1" -Pester (Join-Path $pester.FullName 'tools/Pester.psd1') -ResultPath $ResultPath
        if ($LASTEXITCODE -ne 0) {
            throw "Pester: $LASTEXITCODE tests failed."
        }
    }
    'Pack' {
        Invoke-Pack
    }
    'Demo' {
        Invoke-Dotnet run --project (Join-Path $PSScriptRoot 'src/PSModel.Cli') --no-build -- demo
    }
}
